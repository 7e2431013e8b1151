"""Two ways to send a complete history to `sync`: as the native API does, and as a compatibility contract does."""

from conversations.drafts import SyncProfile
from conversations.models import Conversation, Role

from .cast import Draft, message_draft

# The statements for a history that changes nothing: lock the conversation, read its messages.
STATEMENTS_WITHOUT_CHANGES = ["SELECT", "SELECT"]


NATIVE = SyncProfile()
# A contract that compares roles and texts, and does not show tool messages.
CONTRACT = SyncProfile(
    compared_fields=frozenset({"role", "content", "reasoning"}),
    visible_roles=frozenset(Role.values) - {"tool"},
)


def history_of(conversation: Conversation, profile: SyncProfile = NATIVE) -> list[Draft]:
    """Return the history as its client reads it, with the ids that the client knows."""
    return [
        message_draft(row.content, row.role, external_id=row.external_id or str(row.id))
        for row in conversation.messages.shown()
        if profile.is_visible(row)
    ]
