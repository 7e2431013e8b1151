"""Messages as rows: what the services do under the conversation's lock.

Every function here must run inside a transaction that holds the conversation's lock. Each one changes the given
Conversation in memory as well.
"""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext

from chatstore.errors import Conflict
from chatstore.fingerprints import fingerprint
from conversations.models import Conversation, Message

from . import titles, tree

TOKENS = ("prompt_tokens", "completion_tokens")


def insert_messages(conversation: Conversation, drafts: Sequence[dict[str, Any]]) -> list[Message]:
    """Two statements, however many messages; none for none."""
    if not drafts:
        return []
    messages = tree.build_messages(conversation, with_fingerprints(drafts), below=conversation.tip_seq)
    Message.objects.bulk_create(messages)
    tree.save_derived(conversation)
    return messages


def insert_hidden_message(conversation: Conversation, draft: dict[str, Any], *, below: int) -> Message:
    """Below a message that is not shown, and as little shown."""
    message = tree.build_hidden_message(conversation, draft, below=below)
    message.save(force_insert=True)
    tree.save_derived(conversation)
    return message


def set_title_from(conversation: Conversation, drafts: Sequence[dict[str, Any]]) -> None:
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


def update_message(conversation: Conversation, message: Message, changes: dict[str, Any]) -> None:
    """Save changes to a message. Update the token sums of the conversation in memory."""
    apply_changes(conversation, message, changes)
    message.save(update_fields=[*changes, "updated_at"])


def apply_changes(conversation: Conversation, message: Message, changes: dict[str, Any]) -> None:
    """Change a message and the token sums of its conversation in memory."""
    for name in TOKENS:
        if name in changes:
            delta = (changes[name] or 0) - (getattr(message, name) or 0)
            setattr(conversation, name, getattr(conversation, name) + delta)
    for name, value in changes.items():
        setattr(message, name, value)
    tree.refuse_empty(message)
    message.updated_at = conversation.updated_at = conversation.now
