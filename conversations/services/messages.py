"""Appends, changes, trashes and restores messages. Each function is one transaction under the conversation's lock."""

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
from conversations.core.messages import (
    append_message,
    insert_messages,
    refuse_doubled_external_ids,
    set_title_from,
    update_message,
)
from conversations.core.tree import Tree
from conversations.drafts import REPLY_FIELDS, MessageDraft
from conversations.models import Conversation, Message, Status


def append(*, user: User, conversation_id: uuid.UUID, drafts: Sequence[MessageDraft]) -> tuple[list[Message], bool]:
    """Append messages to the active path, all or none. Return them in their order, and whether any of them is new.

    If a live message has the external_id of a draft and was created with the same fields, return that message. Raises
    NotFound; Conflict if it was created with other fields, or if two drafts have the same external_id; Invalid for a
    message without content. Locks the conversation. Runs one statement for one message without an external_id.
    Otherwise runs three statements for any number of messages, and one more if a draft has an external_id.
    """
    if len(drafts) == 1 and not drafts[0].get("external_id"):
        return [append_message(user=user, conversation_id=conversation_id, draft=drafts[0])], True
    return _append_once(user, conversation_id, drafts)


@transaction.atomic
def _append_once(user: User, conversation_id: uuid.UUID, drafts: Sequence[MessageDraft]) -> tuple[list[Message], bool]:
    conversation = lock_conversation(user=user, conversation_id=conversation_id)
    stored = _stored_again(conversation, drafts)
    new = [draft for draft in drafts if draft.get("external_id") not in stored]
    set_title_from(conversation, new)
    added = insert_messages(conversation, new)
    by_id = stored | {message.external_id: message for message in added if message.external_id}
    others = iter(message for message in added if not message.external_id)
    ids = [draft.get("external_id") for draft in drafts]
    return [by_id[id] if id else next(others) for id in ids], bool(new)


def _stored_again(conversation: Conversation, drafts: Sequence[MessageDraft]) -> dict[str, Message]:
    """Return the stored messages that drafts repeat, by external_id. Raises Conflict if their fields differ."""
    refuse_doubled_external_ids(drafts)
    sent = {id: index for index, draft in enumerate(drafts) if (id := draft.get("external_id"))}
    if not sent:
        return {}
    stored = {row.external_id: row for row in conversation.messages.live().filter(external_id__in=sent)}
    for external_id, row in stored.items():
        if not same(row.fingerprint, fingerprint(drafts[sent[external_id]])):
            message = gettext("A message with external_id {id!r} exists already; it was created with different fields.")
            raise Conflict(message.format(id=external_id), field="external_id")
    return stored


@transaction.atomic
def update(*, user: User, message_id: uuid.UUID, changes: dict[str, Any]) -> Message:
    """Change a message in place and return it. Writes nothing if nothing changes.

    Raises NotFound; Invalid if the message would have no content; Conflict if its reply is under way and writes one of
    these fields at its end. Locks the conversation."""
    conversation, message = lock_message(user=user, message_id=message_id)
    changes = {name: value for name, value in changes.items() if not json_equal(getattr(message, name), value)}
    if changes:
        _refuse_unfinished(message, changes)
        update_message(conversation, message, changes)
        tree.refresh_counters(conversation)
        tree.save_derived(conversation)
    return message


def _refuse_unfinished(message: Message, changes: dict[str, Any]) -> None:
    written = [name for name in changes if name in REPLY_FIELDS and message.status == Status.IN_PROGRESS]
    if written and Message.objects.filter(id=message.id).being_written().exists():
        raise Conflict(gettext("This reply is under way. Stop it first."), field=written[0])


@transaction.atomic
def trash(*, user: User, message_id: uuid.UUID) -> None:
    """Move a message to the trash. Raises NotFound. Locks the conversation.

    The message keeps its place in the tree, and its answers stay active. If it was the tip, its nearest live ancestor
    becomes the tip.
    """
    conversation, message = lock_message(user=user, message_id=message_id)
    _set_deleted_at(conversation, message, deleted_at=conversation.now)
    if message.seq == conversation.tip_seq:
        tree.truncate_active_path(conversation, Tree.of(conversation).live_ancestor(message.seq))
    tree.refresh_counters(conversation)
    tree.save_derived(conversation)


@transaction.atomic
def restore(*, user: User, message_id: uuid.UUID) -> Message:
    """Take a message out of the trash and return it.

    A message on the active path is shown again. If the active path ends at its nearest live ancestor, the message
    becomes the tip. Otherwise it stays on a hidden branch. Raises NotFound if it is not in the trash, Conflict if
    another live message has its external_id (or its id as external_id, if it has none). Locks the conversation.
    """
    conversation, message = lock_message(user=user, message_id=message_id, trashed=True)
    _refuse_taken_id(conversation, message.external_id or str(message.id))
    _set_deleted_at(conversation, message, deleted_at=None)
    nodes = Tree.of(conversation)
    if not message.is_active and nodes.live_ancestor(message.seq) == conversation.tip_seq:
        tree.activate_path(conversation, nodes, message.seq)
        message.is_active = True
    tree.refresh_counters(conversation)
    tree.save_derived(conversation)
    return message


def _set_deleted_at(conversation: Conversation, message: Message, *, deleted_at: datetime | None) -> None:
    message.deleted_at, message.updated_at = deleted_at, conversation.now
    message.save(update_fields=["deleted_at", "updated_at"])


def _refuse_taken_id(conversation: Conversation, external_id: str) -> None:
    if conversation.messages.live().filter(external_id=external_id).exists():
        message = gettext("Another message has the external_id {id!r} by now.")
        raise Conflict(message.format(id=external_id), field="external_id")
