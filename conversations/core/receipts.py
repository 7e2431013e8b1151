"""Receipts of erasures. Each function is called in the transaction that deletes what it counts."""

import uuid
from collections.abc import Collection

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from conversations.models import ErasureReceipt


def begin(user_id: uuid.UUID, *, asked_by: uuid.UUID | None, managed: Collection[uuid.UUID] = ()) -> None:
    """Begin the receipts of an erasure: that of the user, and those of the users whom this user manages.

    Keep the receipts that have begun already, because an interrupted erasure continues them."""
    own = ErasureReceipt(user_id=user_id, asked_by=asked_by, managed_users=len(managed))
    others = [ErasureReceipt(user_id=id, asked_by=asked_by, manager_id=user_id) for id in managed]
    ErasureReceipt.objects.bulk_create([own, *others], ignore_conflicts=True)


def begin_conversation(user_id: uuid.UUID, conversation_id: uuid.UUID, *, asked_by: uuid.UUID) -> None:
    """Begin the receipt of a conversation that is deleted for good."""
    receipt = ErasureReceipt(user_id=user_id, conversation_id=conversation_id, asked_by=asked_by)
    ErasureReceipt.objects.bulk_create([receipt], ignore_conflicts=True)


def add_conversation(user_id: uuid.UUID, conversation_id: uuid.UUID, **counts: int) -> None:
    """Add counts of a purge to the open receipts of the user and of the conversation, if there are any."""
    of_either = Q(conversation_id=None) | Q(conversation_id=conversation_id)
    _add(_open(user_id).filter(of_either), counts)


def add(user_id: uuid.UUID, **counts: int) -> None:
    """Add counts to the open receipt of the user's erasure."""
    _add(_open(user_id).filter(conversation_id=None), counts)


def end(user_id: uuid.UUID, conversation_id: uuid.UUID | None = None) -> None:
    """End the open receipt of the user's erasure, or of the conversation."""
    _open(user_id).filter(conversation_id=conversation_id).update(ended_at=Now())


def _open(user_id: uuid.UUID) -> QuerySet[ErasureReceipt]:
    return ErasureReceipt.objects.filter(user_id=user_id, ended_at=None)


def _add(receipts: QuerySet[ErasureReceipt], counts: dict[str, int]) -> None:
    if any(counts.values()):
        receipts.update(**{name: F(name) + count for name, count in counts.items()})
