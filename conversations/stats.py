"""Statistics of one user.

Sums of tokens include trashed messages, because their tokens were used. Counts of messages do not include them.
Conversations in the trash are left out of both.
"""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from accounts.models import User

from .models import Conversation, Message

TOKENS = {name: Coalesce(Sum(name), 0) for name in ("prompt_tokens", "completion_tokens")}
COUNTS: dict[str, Any] = {"messages": Count("pk", filter=Q(deleted_at__isnull=True)), **TOKENS}


def totals(user: User) -> dict[str, int]:
    """Return the number of conversations, the number of messages on their active paths, and the sums of tokens."""
    return (
        Conversation.objects.owned_by(user)
        .live()
        .aggregate(conversations=Count("*"), messages=Coalesce(Sum("message_count"), 0), **TOKENS)
    )


def by_model(user: User, *, days: int, zone: ZoneInfo) -> list[dict[str, Any]]:
    """Return the counts of the last `days` days for each model, the model with most messages first.

    Messages without a model are left out.
    """
    return list(
        _recent(user, days, zone).exclude(model="").values("model").annotate(**COUNTS).order_by("-messages", "model")
    )


def by_day(user: User, *, days: int, zone: ZoneInfo) -> list[dict[str, Any]]:
    """Return the counts for each of the last `days` days that has messages, oldest first.

    A day with only trashed messages has 0 messages.
    """
    day = TruncDate("created_at", tzinfo=zone)
    return list(_recent(user, days, zone).values(day=day).annotate(**COUNTS).order_by("day"))


def _recent(user: User, days: int, zone: ZoneInfo) -> Any:
    """Return the user's messages of the last `days` days, including today, in conversations outside the trash.

    Messages in the trash and on hidden branches are included.
    """
    first = timezone.now().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(
        days=days - 1
    )
    return Message.objects.owned_by(user).filter(created_at__gte=first, conversation__deleted_at__isnull=True)
