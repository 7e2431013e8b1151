"""The reviews and notes that a transcript shows, read with one statement for a page."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from accounts.models import User
from conversations.models import Conversation, Message
from staff.fields import badge
from staff.models import Label
from staff.transcript.page import parse_seq
from staff.transcript.reading import Entry

from .changes import CHANGE, VIEW

KEY = re.compile("[-a-z0-9]{1,36}")  # the key of a queue
MOST_NOTES = 200  # on a page
PERSON = "json_build_object('id', {0}.id, 'email', {0}.email, 'name', {0}.name, 'external_id', {0}.external_id)"
READ = f"""SELECT json_build_object(
    'reviews', ARRAY(
        SELECT json_build_object(
            'message', review.message_id, 'done_at', review.done_at, 'label', label.name, 'tone', label.tone,
            'assignee', CASE WHEN assignee.id IS NOT NULL THEN {PERSON.format("assignee")} END,
            'done_by', CASE WHEN done_by.id IS NOT NULL THEN {PERSON.format("done_by")} END)
        FROM review
        LEFT JOIN review_label label ON label.id = review.label_id
        LEFT JOIN account assignee ON assignee.id = review.assignee_id
        LEFT JOIN account done_by ON done_by.id = review.done_by_id
        WHERE review.conversation_id = %(conversation)s
        AND (review.message_id IS NULL OR review.message_id = ANY(%(messages)s))),
    'notes', ARRAY(
        SELECT json_build_object('id', note.id, 'message', note.message_id, 'text', note.text, 'at', note.at,
            'author', CASE WHEN author.id IS NOT NULL THEN {PERSON.format("author")} END)
        FROM review_note note LEFT JOIN account author ON author.id = note.author_id
        WHERE note.conversation_id = %(conversation)s
        AND (note.message_id IS NULL OR note.message_id = ANY(%(messages)s))
        ORDER BY note.id LIMIT {MOST_NOTES}),
    'labels', ARRAY(
        SELECT json_build_object('id', id, 'name', name, 'tone', tone) FROM review_label
        WHERE is_active ORDER BY position, id))::text"""


@dataclass(frozen=True)
class WrittenNote:
    id: UUID
    text: str
    at: datetime
    author: User | None
    is_own: bool


@dataclass
class Panel:
    """The review and the notes of one object, as a page shows them."""

    verdict: SafeString | str = ""
    done_at: datetime | None = None
    done_by: User | None = None
    assignee: User | None = None
    notes: list[WrittenNote] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.done_at or self.assignee or self.notes)


def read_panels(request: HttpRequest, conversation: Conversation, context: dict[str, Any]) -> dict[str, Any]:
    """Give each entry of a transcript its panel, and return the values for the template. Runs one statement.

    `context` has the values of the transcript, if the user may read messages. Return an empty dict if the user may not
    see reviews."""
    if not request.user.has_perm(VIEW):
        return {}
    messages = context["transcript"].messages if "transcript" in context else []
    stored = _read(conversation, messages)
    panels = _panels(stored, request)
    for entry in _with_results(context.get("entries", [])):
        entry.panel = panels.get(entry.message.pk) or Panel()
    queue = request.GET.get("queue", "")
    queue = queue if KEY.fullmatch(queue) else ""
    item = parse_seq(request.GET.get("at")) if queue else None  # `seq` of the item of the queue
    item_ids = [message.pk for message in messages if message.seq == item]
    return {
        "panel": panels.get(None) or Panel(),
        "labels": [Label(**row) for row in stored["labels"]],
        "may_review": request.user.has_perm(CHANGE),
        "queue": queue,
        "item": item,
        "item_id": item_ids[0] if item_ids else conversation.pk,
        "branch": context.get("branch", "") + (f"&queue={queue}" if queue else ""),
    }


def _with_results(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield the entries, and those of the results in their calls."""
    for entry in entries:
        yield entry
        for call in entry.calls:
            yield from call.results


def _read(conversation: Conversation, messages: list[Message]) -> Any:
    with connection.cursor() as cursor:
        params: dict[str, Any] = {"conversation": conversation.pk, "messages": [message.pk for message in messages]}
        cursor.execute(READ, params)
        [text] = cursor.fetchone()
    return orjson.loads(text)


def _panels(stored: Any, request: HttpRequest) -> dict[UUID | None, Panel]:
    """Return the panels by the id of the message. The key None is the conversation as a whole."""
    panels = {_id(row["message"]): _panel(row) for row in stored["reviews"]}
    for row in stored["notes"]:
        panels.setdefault(_id(row["message"]), Panel()).notes.append(_note(row, request))
    return panels


def verdict_badge(name: str, tone: str) -> SafeString:
    return badge(gettext(name), tone)


def _panel(row: dict[str, Any]) -> Panel:
    return Panel(
        verdict=verdict_badge(row["label"], row["tone"]) if row["label"] else "",
        done_at=_time(row["done_at"]),
        done_by=_person(row["done_by"]),
        assignee=_person(row["assignee"]),
    )


def _note(row: dict[str, Any], request: HttpRequest) -> WrittenNote:
    author = _person(row["author"])
    at = datetime.fromisoformat(row["at"])
    return WrittenNote(UUID(row["id"]), row["text"], at, author, author is not None and author.pk == request.user.pk)


def _person(row: dict[str, Any] | None) -> User | None:
    return User(**row | {"id": UUID(row["id"])}) if row else None


def _id(text: str | None) -> UUID | None:
    return UUID(text) if text else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
