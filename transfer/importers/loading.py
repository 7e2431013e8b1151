"""Storage of imported conversations.

An importer is a module that turns a file into records, and each record into a `ConversationTree`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from accounts.models import User
from chatstore.errors import ServiceError
from conversations.drafts import MessageDraft, TreeShape
from conversations.services import conversations


class ConversationTree(NamedTuple):
    """A conversation to store: its fields, its messages, and how the messages form a tree.

    `shape` is None if each message answers the previous one.
    """

    fields: dict[str, Any]
    drafts: Sequence[MessageDraft]
    shape: TreeShape | None


class Loaded(NamedTuple):
    """The outcome of a record. `place` is the number of the record. `error` is "" if the conversation is stored."""

    place: int
    is_new: bool
    error: str


def load(
    records: Iterable[tuple[int, bytes]], parse: Callable[[bytes], ConversationTree | None], *, user: User
) -> Iterator[Loaded]:
    """Store each record in its own transaction, and yield its outcome.

    Skip the records for which `parse` returns None. A record that cannot be stored does not stop the import.
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
