"""Builds new conversations, and updates conversations that the caller has locked."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from accounts.models import User
from chatstore.fingerprints import fingerprint
from conversations.drafts import MessageDraft, TreeShape
from conversations.models import Conversation, Message

from . import messages, titles, tree
from .comparison import json_equal


def build_conversation(
    user: User,
    fields: dict[str, Any],
    drafts: Sequence[MessageDraft],
    shape: TreeShape | None = None,
    *,
    now: datetime,
) -> tuple[Conversation, list[Message]]:
    """Build a conversation and its messages without storing them. `now` is the database's time.

    Raises Conflict if two messages have the same external_id, Invalid if a message has no content.
    """
    messages.refuse_doubled_external_ids(drafts)
    conversation = _build_row(user, fields, drafts, now)
    conversation.fingerprint = fingerprint([fields, drafts, *([list(shape.parents), shape.tip] if shape else [])])
    if shape:
        return conversation, tree.build_tree(conversation, drafts, shape)
    return conversation, tree.build_messages(conversation, drafts, below=None)


def _build_row(user: User, fields: dict[str, Any], drafts: Sequence[MessageDraft], now: datetime) -> Conversation:
    # Lists sort an imported conversation by its original creation time, until it has new activity.
    active_at = min(fields.get("created_at", now), now)
    conversation = Conversation(user=user, created_at=now, updated_at=now, active_at=active_at)
    conversation.now = active_at  # the time for its messages and for `archived_at`
    for name, value in archived_flag_to_timestamp(fields, conversation).items():
        setattr(conversation, name, value)
    if not conversation.title:
        conversation.title, conversation.title_is_auto = titles.from_messages(drafts) or titles.new_chat(now), True
    return conversation


def archived_flag_to_timestamp(changes: dict[str, Any], conversation: Conversation) -> dict[str, Any]:
    """Replace the API's field `is_archived` with the column `archived_at`.

    A conversation that is archived already keeps its `archived_at`.
    """
    if "is_archived" not in changes:
        return dict(changes)
    is_archived = changes["is_archived"]
    rest = {name: value for name, value in changes.items() if name != "is_archived"}
    return rest | {"archived_at": (conversation.archived_at or conversation.now) if is_archived else None}


def update_conversation(conversation: Conversation, changes: dict[str, Any]) -> None:
    """Save the fields whose new value differs from the stored one. The caller must hold the conversation's lock.

    An empty title gives the conversation its automatic title again.
    """
    if changed := set_changed(conversation, _with_automatic_title(conversation, changes)):
        conversation.save(update_fields=changed)


def set_changed(conversation: Conversation, changes: dict[str, Any]) -> list[str]:
    """Set the fields whose new value differs. Return their names, and `updated_at`; none if nothing changes."""
    changes = {name: value for name, value in changes.items() if not json_equal(getattr(conversation, name), value)}
    if not changes:
        return []
    changes["updated_at"] = conversation.now
    if "title" in changes:
        changes.setdefault("title_is_auto", False)
    for name, value in changes.items():
        setattr(conversation, name, value)
    return list(changes)


def _with_automatic_title(conversation: Conversation, changes: dict[str, Any]) -> dict[str, Any]:
    """Replace an empty title with the automatic title, or drop it if the conversation has its automatic title."""
    if changes.get("title") != "":
        return changes
    rest = {name: value for name, value in changes.items() if name != "title"}
    if conversation.title_is_auto:
        return rest
    questions = conversation.messages.shown().texts("user").values("role", "content")[:1]
    title = titles.from_messages(questions) or titles.new_chat(conversation.now)
    return rest | {"title": title, "title_is_auto": True}
