"""Statistics of one user."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from accounts.models import User

from .models import Conversation, Message

TOKENS = {name: Coalesce(Sum(name), 0) for name in ("prompt_tokens", "completion_tokens")}
NUMBERS: dict[str, Any] = {"messages": Count("pk", filter=Q(deleted_at__isnull=True)), **TOKENS}


def totals(user: User) -> dict[str, int]:
    """Return the numbers of conversations outside the trash, of messages on their active paths, and of tokens used."""
    return (
        Conversation.objects.owned_by(user)
        .live()
        .aggregate(conversations=Count("*"), messages=Coalesce(Sum("message_count"), 0), **TOKENS)
    )


def by_model(user: User, *, days: int, zone: ZoneInfo) -> list[dict[str, Any]]:
    """Return the numbers for each model, the model with most messages first."""
    return list(
        _recent(user, days, zone).exclude(model="").values("model").annotate(**NUMBERS).order_by("-messages", "model")
    )


def by_day(user: User, *, days: int, zone: ZoneInfo) -> list[dict[str, Any]]:
    """Return the numbers for each day that has messages, oldest first."""
    day = TruncDate("created_at", tzinfo=zone)
    return list(_recent(user, days, zone).values(day=day).annotate(**NUMBERS).order_by("day"))


def _recent(user: User, days: int, zone: ZoneInfo) -> Any:
    """Return the user's messages of the last `days` days, including today, in conversations outside the trash."""
    first = timezone.now().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(
        days=days - 1
    )
    return Message.objects.owned_by(user).filter(created_at__gte=first, conversation__deleted_at__isnull=True)
