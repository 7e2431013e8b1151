"""Stores what an importer reads. An importer is a module that turns a file into records, and a record into a tree."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from accounts.models import User
from chatstore.errors import ServiceError
from conversations.drafts import MessageDraft, TreeShape
from conversations.services import conversations


class ConversationTree(NamedTuple):
    """A conversation to store: its fields, its messages, and how these form a tree (None: each answers the last)."""

    fields: dict[str, Any]
    drafts: Sequence[MessageDraft]
    shape: TreeShape | None


class Loaded(NamedTuple):
    """What became of one record. `error` is "" if it is stored."""

    place: int
    is_new: bool
    error: str


def load(
    records: Iterable[tuple[int, bytes]], parse: Callable[[bytes], ConversationTree | None], *, user: User
) -> Iterator[Loaded]:
    """Store each record in a transaction of its own. `parse` returns None for a record to leave out.

    A record that cannot be stored yields its error, and the next one follows.
    """
    for place, record in records:
        try:
            if (tree := parse(record)) is None:
                continue
            _, is_new = conversations.create(user=user, fields=tree.fields, drafts=tree.drafts, shape=tree.shape)
        except ServiceError as error:
            yield Loaded(place, False, f"{error.field}: {error.message}" if error.field else error.message)
        else:
            yield Loaded(place, is_new, "")
