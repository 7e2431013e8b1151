"""The home page of the admin: the usage of the service in numbers and charts, and as CSV.

All numbers come from the counts of each day (`conversations.daily_usage`), so the page costs the same however many
messages there are. It needs one statement for each report, and one for the names of the users.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts.models import User
from conversations import daily_usage
from conversations.models import DailyUsage

from .audit import record
from .charts import draw_bars
from .csv_files import stream_csv
from .models import Action

PERMISSION = "conversations.view_dailyusage"
PERIODS = (7, 30, 90)  # days
TOP = 10  # models and users
CSV_USERS = 10_000  # users in a download
SERIES = {
    "messages": gettext_lazy("Messages"),
    "conversations": gettext_lazy("Conversations"),
    "tokens": gettext_lazy("Tokens"),
    "users": gettext_lazy("Active users"),
    "failed": gettext_lazy("Failed answers"),
    "dislikes": gettext_lazy("Dislikes"),
}

Rows = list[dict[str, Any]]


def read_usage(request: HttpRequest) -> dict[str, Any]:
    """Return what the home page shows. It is empty if the user may not see the usage."""
    if not request.user.has_perm(PERMISSION):
        return {}
    days = read_period(request)
    first, last = period_of(days)
    by_day = usage_by_day(first, last)
    return {
        "days": days,
        "periods": PERIODS,
        "charts": [_chart(name, by_day) for name in SERIES],
        "models": usage_by_model(first, last)[:TOP],
        "users": usage_by_user(first, last, limit=TOP),
    }


def read_period(request: HttpRequest) -> int:
    """Return the number of days that the request asks for, one of PERIODS."""
    asked = request.GET.get("days", "")
    return int(asked) if asked in map(str, PERIODS) else PERIODS[1]


def period_of(days: int) -> tuple[date, date]:
    """Return the first and the last of the last `days` days in UTC. The last one is today."""
    today = timezone.now().date()
    return today - timedelta(days=days - 1), today


def usage_by_day(first: date, last: date) -> Rows:
    """Return the counts of every day from `first` to `last`, oldest first."""
    counted = {row["day"]: row for row in daily_usage.by_day(first, last)}
    zeros = dict.fromkeys((*daily_usage.COUNTS, "users"), 0)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [_with_tokens(counted.get(day, {"day": day, **zeros})) for day in days]


def usage_by_model(first: date, last: date) -> Rows:
    return list(map(_with_tokens, daily_usage.by_model(first, last)))


def usage_by_user(first: date, last: date, *, limit: int) -> Rows:
    """Return the counts of the users with most messages. `user` is the user, or None after an erasure."""
    rows = daily_usage.by_user(first, last, limit=limit)
    users = User.objects.only("email", "name").in_bulk([row["user_id"] for row in rows])
    return [_with_tokens(row | {"user": users.get(row["user_id"])}) for row in rows]


def _with_tokens(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"tokens": row["prompt_tokens"] + row["completion_tokens"]}


def _chart(name: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return a chart of one series. `total` is None for users, because a user can be active on several days."""
    values = [(row["day"], row[name]) for row in rows]
    return {
        "name": name,
        "title": SERIES[name],
        "today": values[-1][1],
        "total": None if name == "users" else sum(value for _, value in values),
        "bars": draw_bars(values),
    }


def download_usage(request: HttpRequest, report: str) -> StreamingHttpResponse:
    """Return a report of the home page as CSV, and record the export.

    Raises PermissionDenied; Http404 if there is no such report."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    if report not in REPORTS:
        raise Http404
    columns, read = REPORTS[report]
    days = read_period(request)
    rows = read(*period_of(days))
    record(request, Action.EXPORT, DailyUsage, report=report, days=days)
    cells = ([str(row[name]) if name in ("day", "user", "user_id") else row[name] for name in columns] for row in rows)
    return stream_csv(f"usage-{report}.csv", columns, cells)


REPORTS: dict[str, tuple[tuple[str, ...], Callable[[date, date], Rows]]] = {
    "days": (("day", *daily_usage.COUNTS, "users"), usage_by_day),
    "models": (("model", *daily_usage.COUNTS), usage_by_model),
    "users": (("user", "user_id", *daily_usage.COUNTS), partial(usage_by_user, limit=CSV_USERS)),
}
