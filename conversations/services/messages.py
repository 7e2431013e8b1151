"""Writing messages. Each function is one transaction under its conversation's lock."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from accounts.models import User
from chatstore.errors import Conflict
from chatstore.fingerprints import fingerprint, same
from conversations.models import Conversation, Message

from . import titles, tree
from .likeness import alike
from .locks import lock_conversation, lock_message
from .tree import Tree

TOKENS = ("prompt_tokens", "completion_tokens")


@transaction.atomic
def append(*, user: User, conversation_id: uuid.UUID, drafts: Sequence[dict[str, Any]]) -> tuple[list[Message], bool]:
    """Messages at the end of what is shown, all or none; and whether any of them is new.

    A draft is a message's fields by name. One whose external_id is stored already answers the stored message when it
    was sent with the same fields, else Conflict.
    """
    conversation = lock_conversation(user=user, conversation_id=conversation_id)
    stored = _stored_again(conversation, drafts)
    new = [draft for draft in drafts if draft.get("external_id") not in stored]
    title_from(conversation, new)
    added = add(conversation, new)
    by_id = stored | {message.external_id: message for message in added if message.external_id}
    rest = iter(message for message in added if not message.external_id)
    return [by_id[draft["external_id"]] if draft.get("external_id") else next(rest) for draft in drafts], bool(new)


def add(conversation: Conversation, drafts: Sequence[dict[str, Any]]) -> list[Message]:
    """Two statements, however many messages; none for none."""
    if not drafts:
        return []
    messages = tree.grow(conversation, with_fingerprints(drafts), below=conversation.tip_seq)
    Message.objects.bulk_create(messages)
    tree.save_derived(conversation)
    return messages


def add_aside(conversation: Conversation, draft: dict[str, Any], *, below: int) -> Message:
    """Below a message that is not shown, and as little shown."""
    message = tree.grow_aside(conversation, draft, below=below)
    message.save(force_insert=True)
    tree.save_derived(conversation)
    return message


def title_from(conversation: Conversation, drafts: Sequence[dict[str, Any]]) -> None:
    """Once a user says something: what came before, a system prompt or a greeting, is no title."""
    if conversation.title_is_auto and titles.is_new_chat(conversation.title):
        conversation.title = titles.from_messages(drafts) or conversation.title


def with_fingerprints(drafts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A fingerprint is kept where a client id may bring the same request again."""
    return [draft | {"fingerprint": fingerprint(draft)} if draft.get("external_id") else draft for draft in drafts]


def refuse_doubled_external_ids(drafts: Sequence[dict[str, Any]]) -> None:
    ids = [draft["external_id"] for draft in drafts if draft.get("external_id")]
    if len(set(ids)) < len(ids):
        raise Conflict(gettext("Two messages of this request have the same external_id."), field="external_id")


def _stored_again(conversation: Conversation, drafts: Sequence[dict[str, Any]]) -> dict[str, Message]:
    """Stored messages by the external_id they share with a draft."""
    refuse_doubled_external_ids(drafts)
    sent = {draft["external_id"]: index for index, draft in enumerate(drafts) if draft.get("external_id")}
    if not sent:
        return {}
    stored = {row.external_id: row for row in conversation.messages.live().filter(external_id__in=sent)}
    for external_id, row in stored.items():
        if not same(row.fingerprint, fingerprint(drafts[sent[external_id]])):
            message = gettext("A message with external_id {id!r} is stored already and was sent differently then.")
            raise Conflict(message.format(id=external_id), field="external_id")
    return stored


@transaction.atomic
def update(*, user: User, message_id: uuid.UUID, changes: dict[str, Any]) -> Message:
    """In place; nothing is written where nothing changes."""
    conversation, message = lock_message(user=user, message_id=message_id)
    changes = {name: value for name, value in changes.items() if not alike(getattr(message, name), value)}
    if changes:
        change(conversation, message, changes)
        tree.recount(conversation)
        tree.save_derived(conversation)
    return message


def change(conversation: Conversation, message: Message, changes: dict[str, Any]) -> None:
    """Writes the message; the conversation's token sums follow in memory."""
    for name in TOKENS:
        if name in changes:
            delta = (changes[name] or 0) - (getattr(message, name) or 0)
            setattr(conversation, name, getattr(conversation, name) + delta)
    for name, value in changes.items():
        setattr(message, name, value)
    tree.refuse_empty(message)
    message.updated_at = conversation.updated_at = conversation.now
    message.save(update_fields=[*changes, "updated_at"])


@transaction.atomic
def trash(*, user: User, message_id: uuid.UUID) -> None:
    """A tombstone. What answers it stays on the shown path; a trashed message is never the path's end."""
    conversation, message = lock_message(user=user, message_id=message_id)
    _mark(conversation, message, deleted_at=conversation.now)
    if message.seq == conversation.tip_seq:
        tree.end_path_at(conversation, Tree.of(conversation).live_ancestor(message.seq))
    tree.recount(conversation)
    tree.save_derived(conversation)


@transaction.atomic
def restore(*, user: User, message_id: uuid.UUID) -> Message:
    """Shown again where it lies on the shown path, or where that path ends at its nearest live ancestor."""
    conversation, message = lock_message(user=user, message_id=message_id, trashed=True)
    _refuse_taken_id(conversation, message.external_id or str(message.id))
    _mark(conversation, message, deleted_at=None)
    skeleton = Tree.of(conversation)
    if not message.is_active and skeleton.live_ancestor(message.seq) == conversation.tip_seq:
        tree.show(conversation, skeleton, message.seq)
        message.is_active = True
    tree.recount(conversation)
    tree.save_derived(conversation)
    return message


def _mark(conversation: Conversation, message: Message, *, deleted_at: datetime | None) -> None:
    message.deleted_at, message.updated_at = deleted_at, conversation.now
    message.save(update_fields=["deleted_at", "updated_at"])


def _refuse_taken_id(conversation: Conversation, external_id: str) -> None:
    if conversation.messages.live().filter(external_id=external_id).exists():
        message = gettext("Another message has the external_id {id!r} by now.")
        raise Conflict(message.format(id=external_id), field="external_id")
