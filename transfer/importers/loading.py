"""Storage of imported conversations.

An importer is a module that turns a file into records, and each record into a `ConversationTree`.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from django.db import IntegrityError

from accounts.models import User
from chatstore.errors import ServiceError
from conversations.drafts import ConversationTree
from conversations.services import conversations

BATCH_BYTES = 500_000  # of records that are stored in one transaction
Parse = Callable[[bytes], ConversationTree | None]


class Loaded(NamedTuple):
    """The outcome of a record. `place` is the number of the record. `error` is "" if the conversation is stored."""

    place: int
    is_new: bool
    error: str


def load(records: Iterable[tuple[int, bytes]], parse: Parse, *, user: User) -> Iterator[Loaded]:
    """Store the records in batches, and yield the outcome of each record.

    Skip the records for which `parse` returns None. A record that cannot be stored does not stop the import.
    """
    for batch in _batches(records):
        yield from _load_together(batch, parse, user) or _load_each(batch, parse, user)


def _batches(records: Iterable[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    batch, size = [], 0
    for place, record in records:
        batch.append((place, record))
        size += len(record)
        if size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    yield batch


def _load_together(batch: list[tuple[int, bytes]], parse: Parse, user: User) -> list[Loaded]:
    """Store the records of a batch in one transaction. Return nothing if a record is invalid or stored already."""
    try:
        trees = [(place, tree) for place, record in batch if (tree := parse(record))]
        conversations.create_all(user=user, trees=[tree for _, tree in trees])
    except (ServiceError, IntegrityError):
        return []
    return [Loaded(place, True, "") for place, _ in trees]


def _load_each(batch: list[tuple[int, bytes]], parse: Parse, user: User) -> Iterator[Loaded]:
    """Store each record in its own transaction, and yield its outcome."""
    for place, record in batch:
        try:
            if (tree := parse(record)) is None:
                continue
            _, is_new = conversations.create(user=user, fields=tree.fields, drafts=tree.drafts, shape=tree.shape)
        except ServiceError as error:
            yield Loaded(place, False, f"{error.field}: {error.message}" if error.field else error.message)
        else:
            yield Loaded(place, is_new, "")
