"""The function that writes the audit, `record`. The pages of the admin call it for each change, each search, and each
reading of a transcript or a message.

Principle: each of these actions has its event. A change and its event share a transaction. The event of a reading is
committed before the response is sent. If the event cannot be stored, the request fails.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from django.conf import settings
from django.db.models import Model
from django.db.models.functions import Now
from django.http import HttpRequest
from django.urls import ResolverMatch

from accounts.client_address import address_of
from accounts.models import User
from chatstore import limits
from chatstore.errors import RateLimited
from staff.models import Action, AuditEvent

REASON_LASTS = timedelta(hours=1)
LONGEST = 500  # the most characters of one text in `details`
MOST = 100  # the most values of one list in `details`
REFUSALS_EVERY = 60  # seconds; a person gets at most one event per page about refused requests in this time


@dataclass(frozen=True)
class Actor:
    """A person whose request is not at hand, and the IP address of that request: a member of staff for whom a job acts,
    or the owner of a share."""

    id: uuid.UUID
    address: str | None


By = HttpRequest | Actor


def record(
    by: By,
    action: Action,
    obj: Model | type[Model] | None = None,
    /,
    *,
    owner: uuid.UUID | None = None,
    reason: str = "",
    **details: Any,
) -> AuditEvent:
    """Add an event to the audit: the user of the request, or the actor, did this to `obj`, a row or a model.

    `owner` is the id of the user whose data it is. The default is the user to whom the row belongs. `details` are short
    values: texts are cut at LONGEST characters, lists at MOST values, and empty values are left out. They must contain
    no names, titles or contents, but may contain the words of a search. With ADMIN_REQUIRE_REASON, the event gets the
    reason that is in force."""
    event = _event(by, action, obj, owner, reason, details)
    event.save(force_insert=True)
    return event


def record_each(by: By, action: Action, rows: Iterable[Model], /, *, reason: str = "", **details: Any) -> None:
    """Add an event for each row, as `record` does. Executes one statement."""
    AuditEvent.objects.bulk_create([_event(by, action, row, None, reason, details) for row in rows])


def _event(
    by: By,
    action: Action,
    obj: Model | type[Model] | None,
    owner: uuid.UUID | None,
    reason: str,
    details: dict[str, Any],
) -> AuditEvent:
    row = obj if isinstance(obj, Model) else None
    owner = owner or owner_of(row)
    return AuditEvent(
        actor=id_of(by),
        action=action,
        object_type=obj._meta.label_lower if obj else "",
        object_id=str(row.pk)[:255] if row else "",
        owner=owner,
        details={name: _bounded(value) for name, value in details.items() if value not in (None, "", [])},
        reason=reason or current_reason(by, owner),
        address=by.address if isinstance(by, Actor) else address_of(by),
    )


def owner_of(row: Model | None) -> uuid.UUID | None:
    """Return the id of the user to whom a row belongs, or None."""
    return row.pk if isinstance(row, User) else getattr(row, "user_id", None)


def current_reason(by: By, owner: uuid.UUID | None) -> str:
    """Return the reason that the user of the request, or the actor, gave for this owner in the last hour, or "".

    Executes no statement unless ADMIN_REQUIRE_REASON is set. In a request, it executes one for each owner."""
    if owner is None or not settings.ADMIN_REQUIRE_REASON:
        return ""
    if isinstance(by, Actor):
        return _read_reason(by, owner)
    known: dict[uuid.UUID, str] = by.__dict__.setdefault("audit_reasons", {})
    if owner not in known:
        known[owner] = _read_reason(by, owner)
    return known[owner]


def _read_reason(by: By, owner: uuid.UUID) -> str:
    given = AuditEvent.objects.filter(actor=id_of(by), owner=owner, action=Action.REASON)
    last = given.filter(at__gt=Now() - REASON_LASTS).order_by("-id").values_list("reason", flat=True)
    return last.first() or ""


def record_refusal(request: HttpRequest) -> None:
    """Add an event that says that the request was refused.

    Adds at most one in REFUSALS_EVERY seconds for each user and page, so that nobody can flood the audit."""
    match = cast(ResolverMatch, request.resolver_match)
    try:
        limits.take_place(f"refusal:{request.user.pk}:{match.view_name}", count=1, seconds=REFUSALS_EVERY, limit="")
    except RateLimited:
        return
    record(
        request,
        Action.REFUSED,
        page=match.view_name,
        ids=list(match.kwargs.values()),
        method=request.method,
        action=request.POST.get("action"),
    )


def attach_names(events: Iterable[AuditEvent]) -> None:
    """Set `actor_name` and `owner_name` of each event to the present names of the accounts. Executes one statement.

    The name of an account that does not exist any more is its id."""
    events = list(events)
    users = User.objects.in_bulk({id for event in events for id in (event.actor, event.owner) if id})
    for event in events:
        event.actor_name, event.owner_name = _name(users, event.actor), _name(users, event.owner)


def _name(users: dict[uuid.UUID, User], id: uuid.UUID | None) -> str:
    return str(users.get(id, id)) if id else ""


def id_of(by: By) -> uuid.UUID:
    """Return the id of the user of the request, or of the actor."""
    return by.id if isinstance(by, Actor) else cast(User, by.user).pk  # only staff open the pages of the admin


def _bounded(value: Any) -> Any:
    if isinstance(value, list | tuple | set):
        return [_bounded(item) for item in list(value)[:MOST]]
    if value is None or isinstance(value, bool | int):
        return value
    text = str(value).replace("\0", "")
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
