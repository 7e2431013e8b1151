"""Two ways to send a complete history to `sync`: as the native API does, and as a compatibility contract does."""

from typing import Any

from conversations.models import Conversation

from .cast import Draft, message_draft

# The statements of a history that changes nothing: lock the conversation, read its messages.
STATEMENTS_WITHOUT_CHANGES = ["SELECT", "SELECT"]


def is_visible_natively(message: Any) -> bool:
    return True


NATIVE: dict[str, Any] = {"visible": is_visible_natively}
# A contract with roles and texts, but without messages of tools.
CONTRACT: dict[str, Any] = {
    "compared_fields": frozenset({"role", "content", "reasoning"}),
    "visible": lambda message: message.role != "tool",
}


def history_of(conversation: Conversation, profile: dict[str, Any] = NATIVE) -> list[Draft]:
    """Return the history as its client reads it, with the ids that the client knows."""
    return [
        message_draft(row.content, row.role, external_id=row.external_id or str(row.id))
        for row in conversation.messages.shown()
        if profile["visible"](row)
    ]
