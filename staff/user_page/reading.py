"""Reads the page of a user: one statement for the parts, and one for the usage.

A part is shown only to staff with its permission. It has at most MOST rows, and no secrets.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount import providers
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import JSONObject, Now
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import ApiToken, Preferences, User
from conversations import daily_usage
from conversations.models import Conversation, Share
from staff.fields import state
from staff.home import PERIODS, PERMISSION, SERIES, add_empty_days, draw_chart, period_of, read_period

MOST = 10  # rows of a part; one more is read, to see whether there are more
DETAILS = "accounts.view_details"
CONVERSATIONS = "conversations.view_conversation"
CHARTS = [name for name in SERIES if name != "users"]
OF_USER = {"user": OuterRef("pk")}
# A session that has expired, or that somebody signed out of, has no row in Session any more.
VALID = Exists(Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=Now()))
BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", ""), ("Chrome", ""), ("Safari", ""), ("curl", ""))
SYSTEMS = (("Android", ""), ("iPhone", ""), ("iPad", ""), ("Windows", ""), ("Mac OS", "macOS"), ("Linux", ""))


class Part(NamedTuple):
    permission: str
    rows: QuerySet
    columns: tuple[str, ...]


PARTS = {
    "conversations": Part(
        CONVERSATIONS,
        Conversation.objects.filter(**OF_USER).live().by_activity(),
        ("id", "title", "message_count", "active_at", "archived_at"),
    ),
    "shares": Part(
        CONVERSATIONS,
        Share.objects.filter(**OF_USER).listed(),
        ("id", "conversation_id", "title", "message_count", "sign_in_required", "created_at", "expires_at"),
    ),
    "addresses": Part(
        DETAILS, EmailAddress.objects.filter(**OF_USER).order_by("-primary", "pk"), ("email", "verified", "primary")
    ),
    "factors": Part(
        DETAILS, Authenticator.objects.filter(**OF_USER).order_by("pk"), ("type", "created_at", "last_used_at")
    ),
    "linked": Part(DETAILS, SocialAccount.objects.filter(**OF_USER).order_by("pk"), ("provider", "last_login")),
    "sessions": Part(
        DETAILS, UserSession.objects.filter(VALID, **OF_USER).order_by("-pk"), ("created_at", "ip", "user_agent")
    ),
    "tokens": Part(
        DETAILS,
        ApiToken.objects.filter(**OF_USER).order_by("-pk"),
        ("name", "scopes", "created_at", "last_used_at", "expires_at"),
    ),
    "preferences": Part(
        DETAILS, Preferences.objects.filter(**OF_USER).order_by("pk"), ("default_model", "language", "theme")
    ),
    "managed": Part(
        "accounts.view_user",
        User.objects.filter(managed_by=OuterRef("pk")).order_by("-pk"),
        ("id", "external_id", "name", "is_active"),
    ),
}


def read_user(request: HttpRequest, users: QuerySet[User], id: UUID) -> User | None:
    """Return the user with this id among `users`, or None. Executes one statement.

    `user.parts` has the parts that the caller may see."""
    allowed = {name: part for name, part in PARTS.items() if request.user.has_perm(part.permission)}
    columns = {f"part_{name}": _subquery(part) for name, part in allowed.items()}
    user: Any = users.filter(pk=id).select_related("managed_by").annotate(**columns).first()
    if user is not None:
        user.parts = {name: [_with_times(row) for row in getattr(user, f"part_{name}")] for name in allowed}
    return user


def _subquery(part: Part) -> ArraySubquery:
    columns = dict(zip(part.columns, part.columns, strict=True))
    return ArraySubquery(part.rows.values(json=JSONObject(**columns))[: MOST + 1])


def _with_times(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row with the times in it as objects. In JSON, they are texts."""
    return {name: _to_time(value) if name.endswith(("_at", "_login")) else value for name, value in row.items()}


def _to_time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def read_page(request: HttpRequest, user: Any) -> dict[str, Any]:
    """Return the values for the template. Executes one statement for the usage, if the caller may see it."""
    parts = user.parts
    for conversation in parts.get("conversations", ()):
        conversation["state"] = state(Conversation(**conversation))
    for session in parts.get("sessions", ()):
        session["browser"] = name_browser(session["user_agent"])
    for token in parts.get("tokens", ()):
        token["is_expired"] = token["expires_at"] is not None and token["expires_at"] <= timezone.now()
    for factor in parts.get("factors", ()):
        factor["name"] = Authenticator.Type(factor["type"]).label
    for account in parts.get("linked", ()):
        account["name"] = _provider_name(account["provider"])
    return {
        **{name: rows[:MOST] for name, rows in parts.items()},
        "more": {name for name, rows in parts.items() if len(rows) > MOST},
        "shows_details": "sessions" in parts,
        "last_seen": last_seen(user),
        "usage": read_usage(request, user) if request.user.has_perm(PERMISSION) else None,
    }


def read_usage(request: HttpRequest, user: User) -> dict[str, Any]:
    days = read_period(request)
    first, last = period_of(days)
    rows = add_empty_days(daily_usage.of_user(user.pk, first, last), first, last)
    return {"days": days, "periods": PERIODS, "charts": [draw_chart(name, rows) for name in CHARTS]}


def last_seen(user: Any) -> datetime | None:
    """Return when the user last signed in, used a token or wrote. Leave out what the caller may not see."""
    times = [user.last_login]
    times += [token["last_used_at"] for token in user.parts.get("tokens", ())]
    times += [conversation["active_at"] for conversation in user.parts.get("conversations", ())]
    return max(filter(None, times), default=None)


def name_browser(user_agent: str) -> str:
    """Return a name such as "Firefox, Linux", or the beginning of the text if it names no browser that we know."""
    found = [next((label or sign for sign, label in names if sign in user_agent), "") for names in (BROWSERS, SYSTEMS)]
    return ", ".join(filter(None, found)) or user_agent[:40]


def _provider_name(id: str) -> str:
    """Return the name of an identity provider. It can have been removed from the settings since."""
    found = providers.registry.get_class(id)
    return str(found.name) if found else id
