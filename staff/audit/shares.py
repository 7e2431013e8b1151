"""Events of the audit for shares. The owner of the conversation is the actor, not a member of staff.

`conversations` sends the signals in the transaction of the change. If the event cannot be stored, nothing is shared."""

from typing import Any

from django.dispatch import receiver

from conversations.models import Conversation, Share
from conversations.signals import share_created, share_revoked
from staff.models import Action

from .events import Actor, record


@receiver(share_created)
def record_creation(share: Share, address: str | None, **sent: Any) -> None:
    limits = {"messages": share.message_count, "sign_in_required": share.sign_in_required, "until": share.expires_at}
    _record(Action.SHARE, share, address, **limits)


@receiver(share_revoked)
def record_revocation(share: Share, address: str | None, **sent: Any) -> None:
    _record(Action.END_SHARE, share, address)


def _record(action: Action, share: Share, address: str | None, **details: Any) -> None:
    """Add an event about the conversation, so that its history shows the event."""
    owner = Actor(share.user_id, address)
    record(owner, action, Conversation(pk=share.conversation_id), owner=share.user_id, share=share.pk, **details)
