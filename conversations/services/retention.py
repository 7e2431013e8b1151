"""What goes by itself.

What can go wrong: something that a person still wanted is gone, or something that they deleted is still there. So: only
what has been in the trash for TRASH_DAYS goes, whoever restores in time wins, and a run that is cut short is finished
by the next. A conversation goes whole, by `conversations.purge`. A message of a conversation that stays keeps its place
in the tree, where others may answer it, and loses what it said; the date PURGING then keeps it from being restored.
Each transaction is bounded: at most BATCH messages, under the locks of their conversations, in order of their ids.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from accounts import idempotency
from chatstore.database import database_time
from chatstore.errors import Conflict, NotFound
from conversations import columns
from conversations.models import Conversation, Message, Reaction
from conversations.querysets import PURGING

from . import conversations, erase

BATCH = 1_000
CONVERSATIONS_A_RUN = 100
# The content is "" and not null, because a message must have content, parts or tool calls.
FORGOTTEN = columns.defaults(Message, columns.names(columns.MESSAGE, columns.CLEAR)) | {"content": ""}
INDEXES = ("message_words", "message_trigrams")


def housekeep() -> dict[str, int]:
    """One bounded round; what it did, by name."""
    before = database_time() - timedelta(days=settings.TRASH_DAYS)
    done = {
        "users": _finish_erasures(),
        "conversations": _purge_conversations(before),
        "messages": _forget_messages(before),
        "idempotency_keys": idempotency.forget(),
    }
    _clean_pending_lists()
    return done


def _finish_erasures() -> int:
    try:
        return erase.resume()
    except Conflict:  # something is still being written; the next round is in a minute
        return 0


def _purge_conversations(before: datetime) -> int:
    old = Conversation.objects.filter(deleted_at__lt=before).order_by("deleted_at").select_related("user")
    rows = list(old[:CONVERSATIONS_A_RUN])
    return sum(_purge(row, before) for row in rows)


def _purge(row: Conversation, before: datetime) -> int:
    try:
        conversations.purge(user=row.user, conversation_id=row.id, trashed_before=before)
    except NotFound:  # restored meanwhile, or purged by another
        return 0
    return 1


@transaction.atomic
def _forget_messages(before: datetime) -> int:
    old = Message.objects.filter(deleted_at__gt=PURGING, deleted_at__lt=before)
    found = list(old.order_by("deleted_at").values_list("id", "conversation_id")[:BATCH])
    list(Conversation.objects.filter(id__in={conversation for _, conversation in found}).locked())
    # Looked at again under the locks: one may have been restored.
    gone = list(old.filter(id__in=[id for id, _ in found]).values_list("id", flat=True))
    Reaction.objects.filter(message__in=gone).delete()
    return Message.objects.filter(id__in=gone).update(deleted_at=PURGING, **FORGOTTEN)


def _clean_pending_lists() -> None:
    """Appends write to a list beside each text index; a search reads it whole until it is merged in."""
    with connection.cursor() as cursor:
        for index in INDEXES:
            cursor.execute("SELECT gin_clean_pending_list(%s::regclass)", [index])
