"""Inserts and updates messages, for the services.

Every function that gets a Conversation must run inside a transaction that holds its lock. It also changes the given
Conversation in memory.
"""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext

from chatstore.errors import Conflict
from conversations.drafts import MessageDraft
from conversations.models import Conversation, Message

from . import titles, tree

TOKENS = ("prompt_tokens", "completion_tokens")


def insert_messages(conversation: Conversation, drafts: Sequence[MessageDraft]) -> list[Message]:
    """Insert messages after the tip, and save the conversation.

    Runs two statements for any number of drafts; none if there are no drafts."""
    if not drafts:
        return []
    messages = tree.build_messages(conversation, drafts, below=conversation.tip_seq)
    Message.objects.bulk_create(messages)
    tree.save_derived(conversation)
    return messages


def insert_hidden_message(conversation: Conversation, draft: MessageDraft, *, below: int) -> Message:
    """Add a hidden child to a hidden message, and save the conversation."""
    message = tree.build_hidden_message(conversation, draft, below=below)
    message.save(force_insert=True)
    tree.save_derived(conversation)
    return message


def insert_alternative(conversation: Conversation, message: Message, draft: Any) -> Message:
    """Add a sibling of a message, and save the conversation. The active path ends at the sibling."""
    tree.truncate_active_path(conversation, message.parent_seq)
    (sibling,) = tree.build_messages(conversation, [draft], below=message.parent_seq)
    sibling.save(force_insert=True)
    tree.refresh_counters(conversation)
    tree.save_derived(conversation)
    return sibling


def set_title_from(conversation: Conversation, drafts: Sequence[MessageDraft]) -> None:
    """Set the title to the first line of the first user message, if the title is still the default title."""
    if conversation.title_is_auto and titles.is_new_chat(conversation.title):
        conversation.title = titles.from_messages(drafts) or conversation.title


def refuse_doubled_external_ids(drafts: Sequence[MessageDraft]) -> None:
    """Raise Conflict if two drafts have the same external_id."""
    ids = [draft["external_id"] for draft in drafts if draft.get("external_id")]
    if len(set(ids)) < len(ids):
        raise Conflict(gettext("Two messages of this request have the same external_id."), field="external_id")


def update_message(conversation: Conversation, message: Message, changes: dict[str, Any]) -> None:
    """Save changes to a message. Update the token sums of the conversation in memory. Raises Invalid if the message
    would have no content."""
    apply_changes(conversation, message, changes)
    message.save(update_fields=[*changes, "updated_at"])


def apply_changes(conversation: Conversation, message: Any, changes: dict[str, Any]) -> None:
    """Change a message and the token sums of its conversation in memory. Raises Invalid if the message would have no
    content."""
    for name in TOKENS:
        if name in changes:
            delta = (changes[name] or 0) - (getattr(message, name) or 0)
            setattr(conversation, name, getattr(conversation, name) + delta)
    for name, value in changes.items():
        setattr(message, name, value)
    tree.refuse_empty(message)
    message.updated_at = conversation.updated_at = conversation.now
