"""Conversations: made, changed, trashed, restored, purged.

Purging is the one thing that cannot be taken back. It removes in transactions of at most PURGE_BATCH rows, children
first, under the conversation's lock. Before its first batch the conversation is trashed with the date PURGING, which no
restore accepts: an interrupted purge is never seen half done, and whoever purges next finishes it.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext

from accounts.models import User
from chatstore.database import database_time
from chatstore.errors import Conflict, NotFound
from chatstore.fingerprints import same
from chatstore.ids import as_uuid
from conversations.core.conversations import archived_flag_to_timestamp, build_conversation, update_conversation
from conversations.core.locks import lock_conversation, lock_user
from conversations.drafts import TreeShape
from conversations.models import Conversation, Message, Reaction
from conversations.querysets import PURGING, ConversationQuerySet

PURGE_BATCH = 1_000


@transaction.atomic
def create(
    *,
    user: User,
    fields: dict[str, Any],
    drafts: Sequence[dict[str, Any]] = (),
    shape: TreeShape | None = None,
) -> tuple[Conversation, bool]:
    """Store a conversation with its first messages. Return it, and whether it is new.

    The messages answer one another in their order, unless `shape` says how they form a tree. If a live conversation has
    the same external_id and was created with the same fields and messages, return that one; raises Conflict if it was
    created with others, or if an external_id of the messages repeats.
    """
    conversation, rows = build_conversation(user, fields, drafts, shape, now=database_time())
    if not _insert(conversation):
        return _stored_again(user, conversation), False
    Message.objects.bulk_create(rows)
    if settings.KEEP_CONVERSATIONS:
        # After the commit: of several made at once, each is counted then.
        transaction.on_commit(partial(keep_latest, user=user), robust=True)
    return conversation, True


def _insert(conversation: Conversation) -> bool:
    """Of several at once with one external_id, one is stored; the others wait for it here and then see it."""
    if conversation.external_id is None:
        conversation.save(force_insert=True)
        return True
    _refuse_taken_name(conversation.user, conversation.external_id)
    Conversation.objects.bulk_create([conversation], ignore_conflicts=True)
    return Conversation.objects.filter(id=conversation.id).exists()


def _refuse_taken_name(user: User, external_id: str) -> None:
    """Where contracts name a conversation by one id, ours and a client's must not be the same."""
    if (id := as_uuid(external_id)) and Conversation.objects.owned_by(user).live().filter(id=id).exists():
        message = gettext("{id!r} is the id of another conversation.")
        raise Conflict(message.format(id=external_id), field="external_id")


def _stored_again(user: User, sent: Conversation) -> Conversation:
    stored = Conversation.objects.owned_by(user).live().filter(external_id=sent.external_id).first()
    if stored is None or not same(stored.fingerprint, sent.fingerprint):
        message = gettext("A conversation with external_id {id!r} is stored already and was sent differently then.")
        raise Conflict(message.format(id=sent.external_id), field="external_id")
    return stored


@transaction.atomic
def update(*, user: User, conversation_id: uuid.UUID, changes: dict[str, Any]) -> Conversation:
    conversation = lock_conversation(user=user, conversation_id=conversation_id)
    update_conversation(conversation, archived_flag_to_timestamp(changes, conversation))
    return conversation


@transaction.atomic
def trash(*, user: User, conversation_id: uuid.UUID) -> None:
    conversation = lock_conversation(user=user, conversation_id=conversation_id)
    update_conversation(conversation, {"deleted_at": conversation.now})


@transaction.atomic
def restore(*, user: User, conversation_id: uuid.UUID) -> Conversation:
    conversation = Conversation.objects.owned_by(user).trashed().filter(id=conversation_id).locked().first()
    if conversation is None:
        raise NotFound("conversation in the trash")
    if Conversation.objects.owned_by(user).live().filter(external_id=str(conversation_id)).exists():
        raise _taken(str(conversation_id))
    try:
        with transaction.atomic():
            update_conversation(conversation, {"deleted_at": None})
    except IntegrityError:  # the constraint is asked, since another may be taking the id at this moment
        raise _taken(conversation.external_id) from None
    return conversation


def _taken(external_id: str | None) -> Conflict:
    message = gettext("Another conversation has the external_id {id!r} by now.")
    return Conflict(message.format(id=external_id), field="external_id")


@transaction.atomic
def keep_latest(*, user: User) -> None:
    """Of more than KEEP_CONVERSATIONS, those in which nothing was said for longest go to the trash. What is pinned or
    in the archive stays."""
    lock_user(user)
    while found := {row.id: row for row in _too_many(user).locked()}:
        # Asked again under the locks: in one of them something may have been said meanwhile.
        for row in _too_many(user).filter(id__in=found):
            update_conversation(found[row.id], {"deleted_at": found[row.id].now})


def _too_many(user: User) -> ConversationQuerySet:
    listed = Conversation.objects.owned_by(user).listed()
    latest = listed.by_activity().values("id")[: settings.KEEP_CONVERSATIONS]
    return listed.filter(is_pinned=False).exclude(id__in=latest)


def purge(*, user: User, conversation_id: uuid.UUID, trashed_before: datetime | None = None) -> int:
    """Removes a conversation for good: in the trash or not, or only if it was trashed before a time. The number of
    messages that went with it."""
    owned = Conversation.objects.owned_by(user).filter(id=conversation_id)
    meant = owned.filter(deleted_at__lt=trashed_before) if trashed_before else owned
    if not meant.update(deleted_at=PURGING):
        raise NotFound("conversation")
    removed = 0
    while batch := _purge_batch(owned):
        removed += batch
    owned.delete()
    return removed


@transaction.atomic
def _purge_batch(owned: ConversationQuerySet) -> int:
    conversation = owned.locked().first()
    if conversation is None:  # another purge was faster
        return 0
    ids = list(conversation.messages.order_by("-seq").values_list("id", flat=True)[:PURGE_BATCH])
    Reaction.objects.filter(message__in=ids).delete()
    return Message.objects.filter(id__in=ids)._raw_delete(connection.alias)
