"""Housekeeping: the periodic removal of old data.

Hazards: data that a user still wants is lost, or data that a user deleted stays.

Principle: conversations and messages are removed only after TRASH_DAYS in the trash. An object that a user restores in
time is kept, because its state is read again under the lock. Data on hold is left out, and the database refuses to
delete it if the hold is placed in the meantime. The next run finishes an interrupted run.
`conversations.purge` removes a trashed conversation with all its messages. A message that was trashed alone is
forgotten: it loses its content, but keeps its place in the tree, because other messages can answer it. Its `deleted_at`
becomes PURGING, so it cannot be restored.

Transactions: all are bounded. A transaction that forgets messages has at most BATCH of them, and locks their
conversations in the order of their ids.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from accounts import idempotency
from chatstore.database import database_time
from chatstore.errors import Conflict, NotFound, OnHold
from conversations import columns, daily_usage
from conversations.core.holds import refused_on_hold
from conversations.models import Conversation, Message, Reaction, SharedMessage
from conversations.querysets import PURGING

from . import conversations, erase, expiry, shares

BATCH = 1_000  # messages
CONVERSATIONS_PER_RUN = 100
# The content is "" and not null, because a message must have content, parts or tool calls.
FORGOTTEN = columns.defaults(Message, columns.names(columns.MESSAGE, columns.CLEAR)) | {"content": ""}
TEXT_INDEXES = ("message_words", "message_trigrams")


def housekeep() -> dict[str, int]:
    """Run one bounded round of housekeeping. Return the number of removed objects of each kind.

    Opens several transactions and locks the conversations that it changes, so the caller must have no transaction open.
    """
    before = database_time() - timedelta(days=settings.TRASH_DAYS)
    expiry.trash_expired()
    removed = {
        "users": _finish_erasures(),
        "conversations": _purge_conversations(before),
        "messages": _forget_messages(before),
        "shares": shares.delete_expired(),
        "idempotency_keys": idempotency.forget(),
    }
    merge_pending_lists()
    daily_usage.add_changes()
    return removed


def _finish_erasures() -> int:
    try:
        return erase.resume()
    except (Conflict, OnHold):  # a request is still writing, or a hold was just placed; a later round tries again
        return 0


def _purge_conversations(before: datetime) -> int:
    expired = (
        Conversation.objects.filter(deleted_at__lt=before).not_held().order_by("deleted_at").select_related("user")
    )
    return sum(_purge(row, before) for row in list(expired[:CONVERSATIONS_PER_RUN]))


def _purge(row: Conversation, before: datetime) -> int:
    try:
        conversations.purge(user=row.user, conversation_id=row.id, trashed_before=before)
    except (NotFound, OnHold):  # restored or put on hold in the meantime, or purged by another process
        return 0
    return 1


def _forget_messages(before: datetime) -> int:
    try:
        with refused_on_hold(""):
            return _forget_batch(before)
    except OnHold:  # a hold was just placed; the next round leaves its messages out
        return 0


def _forget_batch(before: datetime) -> int:
    """Forget at most BATCH messages that were trashed before this time. Return how many. Locks their conversations.

    Leaves out messages on hold. The caller must have a transaction open."""
    expired = Message.objects.filter(deleted_at__gt=PURGING, deleted_at__lt=before).not_held()
    batch = list(expired.order_by("deleted_at").values_list("id", "conversation_id")[:BATCH])
    list(Conversation.objects.filter(id__in={conversation_id for _, conversation_id in batch}).locked())
    # Read again under the locks, because a message can have been restored before they were taken.
    ids = list(expired.filter(id__in=[id for id, _ in batch]).values_list("id", flat=True))
    Reaction.objects.filter(message__in=ids).delete()
    SharedMessage.objects.filter(message__in=ids)._raw_delete(connection.alias)
    return Message.objects.filter(id__in=ids).update(deleted_at=PURGING, **FORGOTTEN)


def merge_pending_lists() -> None:
    """Merge the pending lists of the text indexes into them.

    Writes of messages append to these lists, and every search reads the whole lists.
    """
    with connection.cursor() as cursor:
        for index in TEXT_INDEXES:
            cursor.execute("SELECT gin_clean_pending_list(%s::regclass)", [index])
