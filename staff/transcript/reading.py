"""The page on which staff read a conversation: the values for its template."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from django.db.models.functions import JSONObject, Left
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext, gettext_lazy

from chatstore.ids import parse_uuid
from conversations.models import Conversation, Message, Status
from staff.fields import state

from . import hits
from .branches import MOST_FORKS, MOST_MESSAGES, Branches, Place
from .hits import Hits
from .markdown import Formatter, plain
from .page import TEXTS, Position, Transcript, parse_seq, read_page
from .pieces import Call, Piece, pretty, read_calls, read_pieces

OTHERS = 10  # other conversations of the owner
TITLE = 100  # characters of their titles
FOLDED_INSTRUCTIONS = 600  # characters; longer instructions are folded
LONGEST_DURATION = 3_600  # seconds; if a result came later, the tool probably did not run all the time
ROLES = {
    "system": gettext_lazy("System"),
    "developer": gettext_lazy("Developer"),
    "user": gettext_lazy("User"),
    "assistant": gettext_lazy("Assistant"),
    "tool": gettext_lazy("Tool"),
    "critic": gettext_lazy("Critic"),
    "discriminator": gettext_lazy("Discriminator"),
    "unknown": gettext_lazy("Unknown"),
}
STATUSES = {
    Status.IN_PROGRESS: gettext_lazy("In progress"),
    Status.INCOMPLETE: gettext_lazy("Incomplete"),
    Status.FAILED: gettext_lazy("Failed"),
}
SYMBOLS = {"like": "👍", "thumbs_up": "👍", "up": "👍", "dislike": "👎", "thumbs_down": "👎", "down": "👎"}


@dataclass
class Entry:
    """One message, ready for the template."""

    message: Message
    html: SafeString
    reasoning: SafeString
    problem: str
    pieces: list[Piece]
    calls: list[Call]
    place: Place | None
    is_cut: bool
    reactions: list[str] = field(default_factory=list)
    begins_day: bool = False
    panel: Any = None  # what staff think of the message (`staff.review`)
    is_in_call: bool = False  # the result of a call, which the page shows inside the folded call

    @property
    def role(self) -> str:
        return str(ROLES[self.message.role])

    @property
    def status(self) -> str:
        """Return the status, or an empty text for a message that is completed."""
        return str(STATUSES.get(Status(self.message.status), ""))

    @property
    def folded_name(self) -> str:
        """Return the name under which the text is folded. An empty string means that the text is not folded."""
        if self.message.role == "tool":
            return "" if self.is_in_call else gettext("Result")
        is_instruction = self.message.role in ("system", "developer")
        return gettext("Instructions") if is_instruction and len(self.html) > FOLDED_INSTRUCTIONS else ""


def title(conversation: Conversation) -> str:
    return Truncator(conversation.title).chars(200) or gettext("(no title)")


def read(request: HttpRequest, conversation: Conversation) -> dict[str, Any]:
    """Return the transcript for the template: its page, its messages, and the query that keeps the branch."""
    position = Position.of(request.GET)
    branches = Branches.of(conversation)
    branch = parse_seq(request.GET.get("branch")) or position.at
    path = branches.path_through(branch)
    page = read_page(conversation, position, path)
    found = hits.find(request, conversation, position.at)
    return {
        "transcript": page,
        "entries": list(entries(page, branches, found)),
        "hits": found,
        "branch": (f"&branch={branch}" if path else "") + found.link,
        "is_other_branch": path is not None,
        "is_missing": bool(position.at) and position.at not in {message.seq for message in page.messages},
        "is_too_long_for_branches": conversation.last_seq > MOST_MESSAGES,
        "branches": branches,
        "path": path or branches.active,
    }


def find(rows: QuerySet[Conversation], object_id: str) -> Any:
    """Return the conversation with this id, or None. `others_json` are the owner's most recently active conversations,
    except this one, so that they need no statement of their own."""
    others = Conversation.objects.filter(user=OuterRef("user")).live().exclude(pk=OuterRef("pk")).by_activity()
    values = JSONObject(id="id", title=Left("title", TITLE), active_at="active_at", message_count="message_count")
    with_others = rows.annotate(others_json=ArraySubquery(others.values(json=values)[:OTHERS]))
    id = parse_uuid(object_id)
    return with_others.filter(pk=id).first() if id else None


def _others(conversation: Any) -> Iterator[dict[str, Any]]:
    for other in conversation.others_json:
        yield other | {"active_at": parse_datetime(other["active_at"])}


def read_surroundings(conversation: Conversation, context: dict[str, Any]) -> dict[str, Any]:
    """Return what the page shows beside the transcript: the tree of branches, and other conversations of the owner."""
    surroundings: dict[str, Any] = {"others": list(_others(conversation)), "state": state(conversation)}
    if "branches" in context:
        branches = context["branches"]
        surroundings["forks"] = branches.read_forks(conversation, context["path"])
        surroundings["has_more_forks"] = branches.fork_count > MOST_FORKS
    return surroundings


def entries(page: Transcript, branches: Branches, found: Hits) -> Iterator[Entry]:
    """Yield the messages of a page. The result of a tool call becomes a part of the call, if the page has both."""
    formatter = Formatter()
    day = None
    waiting: dict[str, tuple[Call, Message]] = {}
    for message in page.messages:
        entry = _entry(message, page, branches, formatter, found)
        if message.role == "tool" and message.tool_call_id in waiting:
            call, caller = waiting[message.tool_call_id]
            entry.is_in_call = True
            call.results.append(entry)
            call.duration = _duration(caller, message)
            continue
        if message.role != "tool":
            waiting = {call.id: (call, message) for call in entry.calls if call.id}
        entry.begins_day, day = message.created_at.date() != day, message.created_at.date()
        yield entry


def _entry(message: Any, page: Transcript, branches: Branches, formatter: Formatter, found: Hits) -> Entry:
    text = message.text or ""
    pieces = list(read_pieces(message.elements, text))
    for piece in pieces:
        piece.html = found.mark(formatter.format(piece.text))
    is_tool = message.role == "tool"
    return Entry(
        message=message,
        html=found.mark(plain(pretty(text)) if is_tool else formatter.format(text)),
        reasoning=formatter.format(message.thoughts or ""),
        problem=message.problem or "",
        pieces=pieces,
        calls=read_calls(message.calls),
        place=branches.place(message.seq),
        is_cut=any((message.seq, name) in page.cut for name in TEXTS),
        reactions=[f"{SYMBOLS.get(type, '')} {type}".strip() for type in message.reaction_types],
    )


def _duration(caller: Message, result: Message) -> str:
    """Return the time between a call and its result.

    Return an empty text if the tool did not run all this time: the client sent both at once, or one very late."""
    seconds = (result.created_at - caller.created_at).total_seconds()
    return f"{seconds:.1f} s" if 0.05 <= seconds <= LONGEST_DURATION else ""
