"""Shares of conversations: copies that everyone with the link can read.

Hazard: a reader of a link sees something that its owner did not share, or has deleted.

Principle: a share is a copy, so later messages, edits and other branches are never in it. The link of a share whose
conversation is in the trash does not work. A page leaves out messages that are in the trash. Everything that deletes or
forgets a message also deletes its copies: the database does it for deletions, `retention` for forgotten messages.

Transactions: each one locks the conversation first, so creating and deleting copies cannot deadlock.
"""

import secrets
import uuid
from datetime import datetime

from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext

from accounts.models import User
from chatstore.errors import Conflict, NotFound
from conversations import signals, sql
from conversations.core.locks import lock_conversation, lock_shares
from conversations.models import Conversation, Message, Share, Status
from conversations.querysets import MessageQuerySet

TOKEN_BYTES = 24  # 192 random bits
MESSAGES_LIMIT = 10_000  # of one share
BYTES_LIMIT = 32_000_000  # of one share: the size of its texts, and the stored size of its JSON
SHARES_LIMIT = 200  # of one user
EXPIRED_PER_RUN = 100


@transaction.atomic
def create(
    *,
    user: User,
    conversation_id: uuid.UUID,
    message_id: uuid.UUID | None = None,
    sign_in_required: bool = False,
    expires_at: datetime | None = None,
    address: str | None = None,
) -> Share:
    """Share the path from the beginning of the conversation to a message, and return the share.

    Without `message_id`, share the active path. `sql.SHARED_ROLES` explains which messages are left out. `address` is
    the IP address of the request, for the audit.

    Raises NotFound; Conflict if the message is in progress, if there is nothing to share, or above one of the limits.
    Locks the conversation, then the list of the user's shares. Copies the messages with one statement.
    """
    conversation = lock_conversation(user=user, conversation_id=conversation_id)
    lock_shares(user)
    path = _path(conversation, message_id)
    _refuse_too_many(user)
    share = Share.objects.create(
        conversation=conversation,
        user=user,
        token=secrets.token_urlsafe(TOKEN_BYTES),
        title=conversation.title,
        message_count=_count(path),
        sign_in_required=sign_in_required,
        expires_at=expires_at,
        created_at=conversation.now,
    )
    _copy(path, share)
    signals.share_created.send(Share, share=share, address=address)
    return share


def _path(conversation: Conversation, message_id: uuid.UUID | None) -> MessageQuerySet:
    """Return the messages from the beginning to this message, or those of the active path."""
    if message_id is None:
        return Message.objects.shown().filter(conversation=conversation)
    message = conversation.messages.live().filter(id=message_id).first()
    if message is None:
        raise NotFound("message in this conversation")
    if message.status == Status.IN_PROGRESS:
        text = gettext("This message is still in progress. Share it when it is complete, or share an earlier message.")
        raise Conflict(text, field="message_id")
    return Message.objects.path_to(message)


def _refuse_too_many(user: User) -> None:
    """Raise Conflict if the user has too many shares. Expired ones count until housekeeping deletes their copies.

    Otherwise, shares that expire at once could fill the disk faster than housekeeping deletes them."""
    if Share.objects.owned_by(user).count() >= SHARES_LIMIT:
        text = gettext("You have {count} shared links already. More are not allowed. Revoke one first.")
        raise Conflict(text.format(count=SHARES_LIMIT), code="too_many_shares")


def _count(path: MessageQuerySet) -> int:
    """Return the number of messages to share. Raises Conflict if it is zero, or above the limits of a share."""
    query, params = path.values().query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(sql.MEASURE_SHARE % query, [*params, MESSAGES_LIMIT + 1])
        count, size = cursor.fetchone()
    if count == 0:
        raise Conflict(gettext("There is no message to share."))
    if count > MESSAGES_LIMIT or size > BYTES_LIMIT:
        text = gettext("A link can share at most {count:,} messages and {size:,} bytes. Share an earlier message.")
        raise Conflict(text.format(count=MESSAGES_LIMIT, size=BYTES_LIMIT), code="share_too_large")
    return int(count)


def _copy(path: MessageQuerySet, share: Share) -> None:
    query, params = path.values().query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(sql.FILL_SHARE % query, [share.pk, *params])


@transaction.atomic
def revoke(*, user: User, share_id: uuid.UUID, address: str | None = None) -> None:
    """Delete a share. Its link stops working at the commit. Raises NotFound. Locks the conversation.

    The conversation can be in the trash or on hold: the share is only a copy of what the hold keeps.
    """
    share = Share.objects.owned_by(user).filter(id=share_id).first()
    if share is None or not _delete(share):
        raise NotFound("share")
    signals.share_revoked.send(Share, share=share, address=address)


@transaction.atomic
def revoke_all(*, user: User, conversation_id: uuid.UUID) -> None:
    """Delete all shares of a conversation, for staff. Raises NotFound if it has none. Locks the conversation.

    Sends no signal, because the caller records the action. The conversation can be in the trash or on hold.
    """
    _lock(conversation_id)
    if not Share.objects.owned_by(user).filter(conversation=conversation_id).delete()[0]:
        raise NotFound("share")


def delete_expired() -> int:
    """Delete at most EXPIRED_PER_RUN expired shares, each in a transaction that locks its conversation. Return how
    many."""
    expired = Share.objects.filter(expires_at__lt=Now()).order_by("expires_at")
    return sum(_delete_one(share) for share in list(expired[:EXPIRED_PER_RUN]))


@transaction.atomic
def _delete_one(share: Share) -> bool:
    return _delete(share)


def _delete(share: Share) -> bool:
    """Delete the share under the lock of its conversation. Return false if it was deleted in the meantime."""
    _lock(share.conversation_id)
    return bool(Share.objects.filter(pk=share.pk).delete()[0])


def _lock(conversation_id: uuid.UUID) -> None:
    """Lock the conversation, which can be in the trash, or in the middle of a purge."""
    list(Conversation.objects.filter(pk=conversation_id).locked())
