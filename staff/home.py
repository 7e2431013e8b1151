"""The home page of the admin: the usage of the service in numbers and charts, and as CSV.

All numbers come from the counts of each day (`conversations.daily_usage`), so the cost of the page does not depend on
the number of messages. It executes one statement for each report, and one for the names of the users.
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
USERS_PERMISSION = "accounts.view_user"  # is also needed for the report of users
PERIODS = (7, 30, 90)  # days
TOP = 10  # models, and users, on the page
MOST_ROWS = 10_000  # models or users in a download; clients choose the names of models
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
    """Return the values for the home page, or an empty dict if the user may not see the usage."""
    if not request.user.has_perm(PERMISSION):
        return {}
    days = read_period(request)
    first, last = period_of(days)
    by_day = usage_by_day(first, last)
    return {
        "days": days,
        "periods": PERIODS,
        "charts": [draw_chart(name, by_day) for name in SERIES],
        "models": usage_by_model(first, last, limit=TOP),
        "users": usage_by_user(first, last, limit=TOP) if request.user.has_perm(USERS_PERMISSION) else None,
    }


def read_period(request: HttpRequest) -> int:
    """Return the number of days that the request asks for, one of PERIODS."""
    asked = request.GET.get("days", "")
    return int(asked) if asked in map(str, PERIODS) else PERIODS[1]


def period_of(days: int) -> tuple[date, date]:
    """Return the first and the last day of a period in UTC. It has `days` days and ends today."""
    today = timezone.now().date()
    return today - timedelta(days=days - 1), today


def usage_by_day(first: date, last: date) -> Rows:
    """Return the counts of every day from `first` to `last`, oldest first, also of days without any."""
    return add_empty_days(daily_usage.by_day(first, last), first, last)


def add_empty_days(rows: Rows, first: date, last: date) -> Rows:
    """Return the rows of all days from `first` to `last`. The counts of a day without a row are 0."""
    counted = {row["day"]: row for row in rows}
    zeros = dict.fromkeys((*daily_usage.COUNTS, "users"), 0)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [_with_tokens(counted.get(day, {"day": day, **zeros})) for day in days]


def usage_by_model(first: date, last: date, *, limit: int) -> Rows:
    return list(map(_with_tokens, daily_usage.by_model(first, last, limit=limit)))


def usage_by_user(first: date, last: date, *, limit: int) -> Rows:
    """Return the counts of the users with most messages. `user` is None if the user does not exist any more."""
    rows = daily_usage.by_user(first, last, limit=limit)
    users = User.objects.only("email", "name", "external_id").in_bulk([row["user_id"] for row in rows])
    return [_with_tokens(row | {"user": users.get(row["user_id"])}) for row in rows]


def _with_tokens(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"tokens": row["prompt_tokens"] + row["completion_tokens"]}


def draw_chart(name: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
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

    Raises PermissionDenied; Http404 if there is no such report.
    """
    needed = (PERMISSION, USERS_PERMISSION) if report == "users" else (PERMISSION,)
    if not request.user.has_perms(needed):
        raise PermissionDenied
    if report not in REPORTS:
        raise Http404
    columns, read = REPORTS[report]
    days = read_period(request)
    record(request, Action.EXPORT, DailyUsage, report=report, days=days)
    cells = ([_cell(row[name]) for name in columns] for row in read(*period_of(days)))
    return stream_csv(f"usage-{report}.csv", columns, [cells])


def _cell(value: Any) -> Any:
    return value if isinstance(value, int) else str(value or "")


REPORTS: dict[str, tuple[tuple[str, ...], Callable[[date, date], Rows]]] = {
    "days": (("day", *daily_usage.COUNTS, "users"), usage_by_day),
    "models": (("model", *daily_usage.COUNTS), partial(usage_by_model, limit=MOST_ROWS)),
    "users": (("user", "user_id", *daily_usage.COUNTS), partial(usage_by_user, limit=MOST_ROWS)),
}
