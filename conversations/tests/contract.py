"""Two doors through which a whole history comes, and what a client reads through them."""

from typing import Any

from conversations.models import Conversation
from testing.cast import Draft, message_draft

READS = ["SELECT", "SELECT"]  # all that equal input costs: the conversation, locked, and its messages


def anything(message: Any) -> bool:
    return True


NATIVE: dict[str, Any] = {"visible": anything}
# A contract that speaks of roles and texts, and knows nothing of tools.
CONTRACT: dict[str, Any] = {
    "compared_fields": frozenset({"role", "content", "reasoning"}),
    "visible": lambda message: message.role != "tool",
}


def read(conversation: Conversation, profile: dict[str, Any] = NATIVE) -> list[Draft]:
    """The history as its client has it, with the ids by which it knows the messages."""
    return [
        message_draft(row.content, row.role, external_id=row.external_id or str(row.id))
        for row in conversation.messages.shown()
        if profile["visible"](row)
    ]
