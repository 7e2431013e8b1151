"""The search page. It finds words in the messages and titles of all users, and rows by their ids.

It uses the search of the API, with the same operators and bounds. The operator `user:` selects one owner by e-mail
address or id.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Value
from django.db.models.functions import Upper
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext

from accounts.models import User
from chatstore.errors import Invalid
from chatstore.ids import parse_uuid
from chatstore.times import parse_utc
from conversations import search
from conversations.models import Conversation, Message

from .audit import record
from .fields import ago
from .models import Action
from .visible import show_codes

PERMISSION = "conversations.view_message"
PAGE = 20  # messages
TITLES = 10  # conversations
ROWS = 10  # conversations to which clients gave the same id
LONGEST = 1_000  # characters of a query
OWNER = re.compile(r'(?:^|(?<=\s))user:(?:"([^"]*)"|(\S+))', re.IGNORECASE)


class Row(NamedTuple):
    """A conversation, message or user whose id was searched for."""

    kind: str
    label: str
    url: str


@dataclass
class Results:
    """The results of a search. `next` is the position of the next page of messages, as query parameters."""

    hits: list[dict[str, Any]] = field(default_factory=list)
    titles: list[dict[str, Any]] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    next: dict[str, str] = field(default_factory=dict)
    owner: User | None = None  # whose messages were searched; None if those of all users
    searched_since: datetime | None = None
    error: str = ""

    @property
    def are_empty(self) -> bool:
        return not (self.hits or self.titles or self.rows or self.next or self.error)


def search_page(request: HttpRequest) -> TemplateResponse:
    """Show the results for the query in `q`. Raises PermissionDenied."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    text = request.GET.get("q", "").replace("\0", " ").strip()[:LONGEST]
    results = _search(request, text) if text else None
    context = {
        **admin.site.each_context(request),
        "title": gettext("Search"),
        "q": text,
        "words": urlencode({"q": text}),  # for the links to transcripts, which mark them
        "results": results,
        "next_page": results and results.next and urlencode({"q": text, **results.next}),
    }
    return TemplateResponse(request, "admin/search.html", context)


def _search(request: HttpRequest, text: str) -> Results:
    """Return the results, and add an event with the words."""
    results = find(text, _position(request), request.user)
    record(request, Action.SEARCH, Message, owner=results.owner.pk if results.owner else None, words=text)
    if settings.ADMIN_REQUIRE_REASON:  # the pages that the results link to ask for the reason
        for row in results.hits:
            row["snippet"] = ""
    return results


def find(text: str, after: search.Position | None, reader: Any) -> Results:
    """Return a page of results. The first page also has titles, and the rows whose id is the text."""
    rows = [] if after or " " in text else _rows_with_id(text, reader)
    if parse_uuid(text):
        return Results(rows=rows)
    try:
        owner, words = _read_owner(text)
        results = _find_words(owner, words, after)
    except Invalid as error:
        results = Results(error=str(error.message))
    results.rows = rows
    return results


def _rows_with_id(text: str, reader: Any) -> list[Row]:
    """Return the conversation, message or user with this id, and the conversations to which clients gave this id.

    Leave out what the reader has no permission to see."""
    visible = [model for model in (Conversation, Message, User) if reader.has_perm(_view_permission(model))]
    found: list[Model | None] = []
    if id := parse_uuid(text):
        found = [model._default_manager.filter(pk=id).first() for model in visible]
    if Conversation in visible:
        by_client = Conversation.objects.annotate(client_id=Upper("external_id"))
        found += by_client.filter(client_id=Upper(Value(text))).order_by("-pk")[:ROWS]
    return [_to_row(row) for row in found if row]


def _view_permission(model: type[Model]) -> str:
    return f"{model._meta.app_label}.view_{model._meta.model_name}"


def _to_row(row: Model) -> Row:
    meta = row._meta
    url = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
    return Row(str(meta.verbose_name), str(row) or gettext("(no title)"), url)


def _read_owner(text: str) -> tuple[search.Owner, str]:
    """Return the owner that `user:` selects, and the other words. Raises Invalid if there is no such user."""
    match = OWNER.search(text)
    if not match:
        return search.AllUsers.ALL_USERS, text
    name = match[1] or match[2] or ""
    owner = User.objects.find(name)
    if owner is None:
        raise Invalid(gettext("There is no user {name}.").format(name=name), field="q")
    return owner, OWNER.sub(" ", text)


def _find_words(owner: search.Owner, words: str, after: search.Position | None) -> Results:
    query, budget = search.parse(words), search.Budget()
    named = None if owner is search.AllUsers.ALL_USERS else owner
    titles = _find_titles(owner, query, budget) if after is None else []
    if query.in_title:
        return Results(titles=titles, owner=named)
    found = search.find_messages(owner=owner, query=query, budget=budget, limit=PAGE + 1, after=after)
    hits = found.hits[:PAGE]
    position = found.stopped_at
    if len(found.hits) > PAGE:
        position = search.Position(hits[-1].created_at, hits[-1].message_id, found.match_parts)
    since = found.stopped_at.key if found.stopped_at else None
    return Results(_with_conversations(hits), titles, next=_to_parameters(position), searched_since=since, owner=named)


def _find_titles(owner: search.Owner, query: search.Query, budget: search.Budget) -> list[dict[str, Any]]:
    if not query.can_match_titles:
        return []
    pattern = search.typed_pattern(query)
    rows = search.find_titles(owner=owner, query=query, budget=budget, limit=TITLES)
    return [
        {"id": id, "snippet": show_codes(search.highlight(title, pattern)), "time": ago(active_at)}
        for id, title, active_at in rows
    ]


def _with_conversations(hits: list[search.Hit]) -> list[dict[str, Any]]:
    """Return the hits with their conversations and owners. Runs one statement."""
    rows = Conversation.objects.select_related("user").only("title", "user__email", "user__name", "user__external_id")
    conversations = rows.in_bulk({hit.conversation_id for hit in hits})
    return [
        {
            "hit": hit,
            "conversation": conversations[hit.conversation_id],
            "snippet": show_codes(hit.snippet),  # the search has escaped it
            "time": ago(hit.created_at),
        }
        for hit in hits
        if hit.conversation_id in conversations  # someone can delete it meanwhile
    ]


def _to_parameters(position: search.Position | None) -> dict[str, str]:
    if position is None:
        return {}
    return {"at": position.key.isoformat(), "id": str(position.id), "parts": str(int(position.match_parts))}


def _position(request: HttpRequest) -> search.Position | None:
    """Return the position in the parameters, or None if there is none or it is malformed."""
    try:
        at, id = parse_utc(request.GET["at"]), UUID(request.GET["id"])
    except (KeyError, ValueError):
        return None
    return search.Position(at, id, request.GET.get("parts") == "1")
