"""Creates, changes, trashes, restores and purges conversations.

A purge cannot be undone. First it sets `deleted_at` of the conversation to PURGING, so that nobody can see or restore
the conversation. Then it deletes the messages, children before parents, in transactions of at most PURGE_BATCH
messages, each under the conversation's lock. The next purge finishes an interrupted one.
"""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext

from accounts.models import User
from chatstore.database import database_time
from chatstore.errors import Conflict, Invalid, NotFound
from chatstore.fingerprints import same
from chatstore.ids import as_uuid
from conversations.core import receipts, titles
from conversations.core.bulk import insert_each
from conversations.core.conversations import archived_flag_to_timestamp, build_conversation, update_conversation
from conversations.core.holds import refused_on_hold
from conversations.core.locks import lock_conversation, lock_user
from conversations.drafts import ConversationTree, MessageDraft, TreeShape
from conversations.models import Conversation, Message, Reaction
from conversations.querysets import PURGING, ConversationQuerySet

PURGE_BATCH = 1_000


@transaction.atomic
def create(
    *,
    user: User,
    fields: dict[str, Any],
    drafts: Sequence[MessageDraft] = (),
    shape: TreeShape | None = None,
) -> tuple[Conversation, bool]:
    """Store a conversation with its first messages. Return it, and whether it is new.

    Each message answers the one before it, unless `shape` describes a tree. If a live conversation has the same
    external_id and was created with the same fields and messages, return that one. Raises Conflict if it was created
    with others, if the external_id is the id of another conversation, or if two messages have the same external_id;
    Invalid if a message has no content.
    """
    conversation, rows = build_conversation(user, fields, drafts, shape, now=database_time())
    if not _insert(conversation):
        return _stored_again(user, conversation), False
    insert_each(rows)
    _keep_latest_after_commit(user)
    return conversation, True


@transaction.atomic
def create_all(*, user: User, trees: Sequence[ConversationTree]) -> None:
    """Store new conversations with an external_id, all or none. Runs the same statements for one and for many.

    Raises Conflict if an external_id is the name of a live conversation; IntegrityError if two of them have the same
    external_id, or if another request takes one at this moment; Conflict and Invalid as `create` for their messages.
    """
    names = [tree.fields["external_id"] for tree in trees]
    now = database_time()
    built = [build_conversation(user, tree.fields, tree.drafts, tree.shape, now=now) for tree in trees]
    if taken := Conversation.objects.owned_by(user).live().named(*names).first():
        raise _taken(taken.external_id)
    # In one order, so that two requests with the same external_ids do not wait for each other.
    insert_each(sorted((conversation for conversation, _ in built), key=attrgetter("external_id")))
    insert_each([message for _, messages in built for message in messages])
    _keep_latest_after_commit(user)


def _keep_latest_after_commit(user: User) -> None:
    if settings.KEEP_CONVERSATIONS:
        # After the commit: if several requests create conversations at once, the last one counts all of them.
        transaction.on_commit(partial(keep_latest, user=user), robust=True)


def create_numbered(*, user: User, fields: dict[str, Any], drafts: Sequence[MessageDraft] = ()) -> Conversation:
    """Store a conversation whose external_id is a new number, and return it. Raises Invalid and Conflict as `create`.

    The numbers come from one sequence for all users. A number that the user has taken as an external_id is skipped.
    """
    owned = Conversation.objects.owned_by(user).live()
    number = next(number for number in iter(_next_number, None) if not owned.filter(external_id=number).exists())
    conversation, _ = create(user=user, fields={**fields, "external_id": number}, drafts=drafts)
    return conversation


def _next_number() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('conversation_number')::text")
        return str(cursor.fetchone()[0])


def _insert(conversation: Conversation) -> bool:
    """Insert the row, unless a live conversation has its external_id. Return whether it was inserted.

    If concurrent requests have the same external_id, the first one inserts its row; the others wait here until it ends.
    Raises Conflict if the external_id is the id of another conversation."""
    if conversation.external_id is None:
        conversation.save(force_insert=True)
        return True
    _refuse_own_id(conversation.user, conversation.external_id)
    Conversation.objects.bulk_create([conversation], ignore_conflicts=True)
    return Conversation.objects.filter(id=conversation.id).exists()


def _refuse_own_id(user: User, external_id: str) -> None:
    """Raise Conflict if the external_id is the id of another conversation: contracts use both as names."""
    if (id := as_uuid(external_id)) and Conversation.objects.owned_by(user).live().filter(id=id).exists():
        message = gettext("{id!r} is the id of another conversation.")
        raise Conflict(message.format(id=external_id), field="external_id")


def _stored_again(user: User, sent: Conversation) -> Conversation:
    stored = Conversation.objects.owned_by(user).live().filter(external_id=sent.external_id).first()
    if stored is None or not same(stored.fingerprint, sent.fingerprint):
        message = gettext(
            "A conversation with external_id {id!r} exists already; it was created with different fields or messages."
        )
        raise Conflict(message.format(id=sent.external_id), field="external_id")
    return stored


@transaction.atomic
def update(*, user: User, conversation_id: uuid.UUID, changes: dict[str, Any]) -> Conversation:
    """Change fields of a conversation and return it. Writes nothing if nothing changes. Raises NotFound. Locks it."""
    conversation = lock_conversation(user=user, conversation_id=conversation_id)
    update_conversation(conversation, archived_flag_to_timestamp(changes, conversation))
    return conversation


@transaction.atomic
def add_tag(*, user: User, conversation_id: uuid.UUID, tag: str) -> None:
    """Add a tag to a conversation, unless it has it. Raises NotFound, or Invalid at LABELS_LIMIT tags. Locks it."""
    conversation = lock_conversation(user=user, conversation_id=conversation_id)
    if tag in conversation.tags:
        return
    if len(conversation.tags) >= settings.LABELS_LIMIT:
        message = gettext("A conversation can have at most {count} tags.")
        raise Invalid(message.format(count=settings.LABELS_LIMIT), field="tags")
    update_conversation(conversation, {"tags": [*conversation.tags, tag]})


@transaction.atomic
def remove_tag(*, user: User, conversation_id: uuid.UUID, tag: str) -> None:
    """Remove a tag from a conversation, if it has it. Raises NotFound. Locks it."""
    conversation = lock_conversation(user=user, conversation_id=conversation_id)
    update_conversation(conversation, {"tags": [label for label in conversation.tags if label != tag]})


@transaction.atomic
def set_automatic_title(*, user: User, conversation_id: uuid.UUID, title: str) -> None:
    """Give a conversation a better automatic title, unless a person has named it. Raises NotFound. Locks it."""
    conversation = lock_conversation(user=user, conversation_id=conversation_id)
    if conversation.title_is_auto and title:
        conversation.title, conversation.updated_at = titles.shortened(title), conversation.now
        conversation.save(update_fields=["title", "updated_at"])


@transaction.atomic
def trash(*, user: User, conversation_id: uuid.UUID) -> None:
    """Move a conversation to the trash. Raises NotFound. Locks it."""
    conversation = lock_conversation(user=user, conversation_id=conversation_id)
    update_conversation(conversation, {"deleted_at": conversation.now})


@transaction.atomic
def restore(*, user: User, conversation_id: uuid.UUID) -> Conversation:
    """Take a conversation out of the trash and return it. Locks it.

    Raises NotFound if it is not in the trash, Conflict if another live conversation has one of its two names: its
    external_id or its id.
    """
    conversation = Conversation.objects.owned_by(user).trashed().filter(id=conversation_id).locked().first()
    if conversation is None:
        raise NotFound("conversation in the trash")
    if Conversation.objects.owned_by(user).live().filter(external_id=str(conversation_id)).exists():
        raise _taken(str(conversation_id))
    if conversation.external_id:
        _refuse_own_id(user, conversation.external_id)
    try:
        with transaction.atomic():
            update_conversation(conversation, {"deleted_at": None})
    except IntegrityError:  # only the constraint knows whether another request takes the id at this moment
        raise _taken(conversation.external_id) from None
    return conversation


def _taken(external_id: str | None) -> Conflict:
    message = gettext("Another conversation has the external_id {id!r} by now.")
    return Conflict(message.format(id=external_id), field="external_id")


@transaction.atomic
def keep_latest(*, user: User) -> None:
    """Move the least recently active conversations beyond KEEP_CONVERSATIONS to the trash.

    Pinned and archived conversations stay. Locks the user, then the conversations.
    """
    lock_user(user)
    while rows := {row.id: row for row in _too_many(user).locked()}:
        # Query again under the locks: a conversation may have received a message in the meantime.
        for row in _too_many(user).filter(id__in=rows):
            update_conversation(rows[row.id], {"deleted_at": rows[row.id].now})


def _too_many(user: User) -> ConversationQuerySet:
    listed = Conversation.objects.owned_by(user).listed()
    latest = listed.by_activity().values("id")[: settings.KEEP_CONVERSATIONS]
    return listed.filter(is_pinned=False).exclude(id__in=latest)


def purge(
    *,
    user: User,
    conversation_id: uuid.UUID,
    trashed_before: datetime | None = None,
    asked_by: uuid.UUID | None = None,
    on_begin: Callable[[], object] = lambda: None,
) -> int:
    """Delete a conversation permanently, live or in the trash. Return the number of deleted messages.

    With `trashed_before`, delete it only if it was moved to the trash before that time. With `asked_by`, the id
    of a member of staff, leave a receipt. `on_begin` is called in the first transaction, after all checks, so what it
    writes is stored if and only if the purge begins.

    Raises NotFound, and OnHold if a legal hold covers the conversation. A hold that is placed during the purge stops
    it, and the rest stays. Runs several transactions, each with the conversation's lock.
    """
    owned = Conversation.objects.owned_by(user).filter(id=conversation_id)
    selected = owned.filter(deleted_at__lt=trashed_before) if trashed_before else owned
    removed = 0
    on_hold = gettext("This conversation is on hold. It cannot be deleted permanently.")
    with refused_on_hold(on_hold):
        if not selected.update(deleted_at=PURGING):
            raise NotFound("conversation")
        if asked_by:
            receipts.begin_conversation(user.pk, conversation_id, asked_by=asked_by)
        on_begin()
    while batch := _purge_batch(owned, on_hold):
        removed += batch
    with refused_on_hold(on_hold):
        receipts.add_conversation(user.pk, conversation_id, conversations=owned.delete()[0])
        receipts.end(user.pk, conversation_id)
    return removed


def _purge_batch(owned: ConversationQuerySet, on_hold: str) -> int:
    with refused_on_hold(on_hold):
        conversation = owned.locked().first()
        if conversation is None:  # another purge has deleted it
            return 0
        ids = list(conversation.messages.order_by("-seq").values_list("id", flat=True)[:PURGE_BATCH])
        Reaction.objects.filter(message__in=ids).delete()
        deleted = Message.objects.filter(id__in=ids)._raw_delete(connection.alias)
        receipts.add_conversation(conversation.user_id, conversation.id, messages=deleted)
        return deleted
