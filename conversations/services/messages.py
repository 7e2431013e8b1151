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
from conversations.core import tree
from conversations.core.comparison import json_equal
from conversations.core.locks import lock_conversation, lock_message
from conversations.core.messages import insert_messages, refuse_doubled_external_ids, set_title_from, update_message
from conversations.core.tree import Tree
from conversations.models import Conversation, Message


@transaction.atomic
def append(*, user: User, conversation_id: uuid.UUID, drafts: Sequence[dict[str, Any]]) -> tuple[list[Message], bool]:
    """Messages at the end of what is shown, all or none; and whether any of them is new.

    A draft is a message's fields by name. One whose external_id is stored already answers the stored message when it
    was sent with the same fields, else Conflict.
    """
    conversation = lock_conversation(user=user, conversation_id=conversation_id)
    stored = _stored_again(conversation, drafts)
    new = [draft for draft in drafts if draft.get("external_id") not in stored]
    set_title_from(conversation, new)
    added = insert_messages(conversation, new)
    by_id = stored | {message.external_id: message for message in added if message.external_id}
    rest = iter(message for message in added if not message.external_id)
    return [by_id[draft["external_id"]] if draft.get("external_id") else next(rest) for draft in drafts], bool(new)


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
    changes = {name: value for name, value in changes.items() if not json_equal(getattr(message, name), value)}
    if changes:
        update_message(conversation, message, changes)
        tree.refresh_counters(conversation)
        tree.save_derived(conversation)
    return message


@transaction.atomic
def trash(*, user: User, message_id: uuid.UUID) -> None:
    """A tombstone. What answers it stays on the shown path; a trashed message is never the path's end."""
    conversation, message = lock_message(user=user, message_id=message_id)
    _mark(conversation, message, deleted_at=conversation.now)
    if message.seq == conversation.tip_seq:
        tree.truncate_active_path(conversation, Tree.of(conversation).live_ancestor(message.seq))
    tree.refresh_counters(conversation)
    tree.save_derived(conversation)


@transaction.atomic
def restore(*, user: User, message_id: uuid.UUID) -> Message:
    """Shown again where it lies on the shown path, or where that path ends at its nearest live ancestor."""
    conversation, message = lock_message(user=user, message_id=message_id, trashed=True)
    _refuse_taken_id(conversation, message.external_id or str(message.id))
    _mark(conversation, message, deleted_at=None)
    skeleton = Tree.of(conversation)
    if not message.is_active and skeleton.live_ancestor(message.seq) == conversation.tip_seq:
        tree.activate_path(conversation, skeleton, message.seq)
        message.is_active = True
    tree.refresh_counters(conversation)
    tree.save_derived(conversation)
    return message


def _mark(conversation: Conversation, message: Message, *, deleted_at: datetime | None) -> None:
    message.deleted_at, message.updated_at = deleted_at, conversation.now
    message.save(update_fields=["deleted_at", "updated_at"])


def _refuse_taken_id(conversation: Conversation, external_id: str) -> None:
    if conversation.messages.live().filter(external_id=external_id).exists():
        message = gettext("Another message has the external_id {id!r} by now.")
        raise Conflict(message.format(id=external_id), field="external_id")
