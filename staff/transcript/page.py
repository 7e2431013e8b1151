"""Pages of a transcript: the messages on one path of a conversation, in the order of `seq`.

A page is a range of `seq`, so its cost does not depend on the length of the conversation. A text can be a megabyte
long, so PostgreSQL returns only the beginning of each text. The page of a single message shows more.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, Func, OuterRef, QuerySet, Subquery, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Left, NullIf
from django.http import QueryDict

from conversations.models import Conversation, Message, Reaction

PAGE = 50  # messages
PAGE_CHARACTERS = 30_000  # a page ends before the message that exceeds this number of characters in all texts
LONG = 20_000  # the most characters of one text, and the most bytes of `parts` or `tool_calls`; the rest is cut
ELEMENTS = 100  # the most elements of `parts` or `tool_calls`; one more is read, to see whether there are more
REACTIONS = 20  # the most reactions to one message
CONTEXT = 20  # the most messages before the one to which a link leads
CONTEXT_CHARACTERS = 10_000
COLUMNS = """conversation_id user_id seq role item_type name model tool_call_id status finish_reason prompt_tokens
    completion_tokens is_active created_at""".split()


class Strings(Func):
    """The strings at a path in JSON, joined with `between`, or an empty string if there are none."""

    template = """array_to_string(ARRAY(
        SELECT jsonb_path_query(%(expressions)s, '%(path)s ? (@.type() == "string")') #>> '{}'), E'%(between)s')"""
    output_field = TextField()


# jsonb_array_elements() needs an array. jsonb_path_query() accepts any value, but takes three times as long.
_ARRAY = """CASE WHEN jsonb_typeof(%(expressions)s) = 'array' THEN %(expressions)s
    WHEN %(expressions)s IS NOT NULL THEN jsonb_build_array(%(expressions)s) END"""


class Elements(Func):
    """The first elements of a JSON array, as JSON: a list of objects with the `type` and the `size` of each element.

    `json` is the element itself, as long as these elements have at most LONG bytes together. Otherwise `json` is null,
    and `start` is the beginning of the element's text.
    """

    template = f"""(SELECT json_agg(json_build_object('type', left(e ->> 'type', 64), 'size', size,
            'json', CASE WHEN fits THEN e END, 'start', CASE WHEN NOT fits THEN left(e::text, 200) END
        ) ORDER BY n)::text FROM (
            SELECT *, size <= {LONG} AND sum(size) FILTER (WHERE size <= {LONG}) OVER (ORDER BY n) <= {LONG} AS fits
            FROM (
                SELECT e, n, octet_length(e::text) AS size
                FROM jsonb_array_elements({_ARRAY}) WITH ORDINALITY AS q(e, n) LIMIT {ELEMENTS + 1}
            ) e
        ) e)"""
    output_field = TextField()


# The texts in `parts`, without those of a model's reasoning.
PART_TEXTS = '$[*] ? (!exists(@.type ? (@ == "reasoning" || @ == "thinking"))).text'
TEXTS: dict[str, Combinable] = {
    "text": Coalesce("content", NullIf(Strings(F("parts"), path=PART_TEXTS, between="\\n\\n"), Value(""))),
    "thoughts": F("reasoning"),
    "problem": F("error"),
}
JSON = {"elements": Elements("parts"), "calls": Elements("tool_calls")}


@dataclass(frozen=True)
class Transcript:
    messages: list[Message]
    earlier: bool  # whether the path has messages before these
    tip: int  # the `seq` of the last message of the path
    cut: set[tuple[int, str]] = field(default_factory=set)  # the seq and the name of each text that was cut

    def __str__(self) -> str:
        return f"{self.first} to {self.last}" if self.messages else ""

    @property
    def first(self) -> int:
        return self.messages[0].seq if self.messages else 0

    @property
    def last(self) -> int:
        return self.messages[-1].seq if self.messages else 0

    @property
    def later(self) -> bool:
        return self.last < self.tip

    @property
    def end(self) -> int:
        """Return the `seq` before which the last page ends."""
        return self.tip + 1


@dataclass(frozen=True)
class Position:
    """What a URL asks for: the page after a `seq`, the page before a `seq`, or the page with the message at a `seq`."""

    after: int = 0
    before: int = 0
    at: int = 0

    @classmethod
    def of(cls, query: QueryDict) -> "Position":
        return cls(*(parse_seq(query.get(name)) for name in ("after", "before", "at")))

    def narrow(self, path: Sequence[int]) -> Sequence[int]:
        """Return a part of the path that contains the whole page."""
        if self.before:
            end = bisect_left(path, self.before)
            return path[max(end - PAGE - 1, 0) : end]
        start = bisect_right(path, self.after) if self.after else max(bisect_left(path, self.at) - CONTEXT, 0)
        return path[start : start + PAGE + CONTEXT]


def read_page(conversation: Conversation, position: Position, path: Sequence[int] | None = None) -> Transcript:
    """Return a page of a path. `path` has the `seq` of its messages; None is the active path. Runs one statement."""
    rows = conversation.messages.in_order()
    rows = rows.filter(is_active=True) if path is None else rows.filter(seq__in=list(position.narrow(path)))
    tip = (conversation.tip_seq if path is None else path[-1]) or 0
    if position.before:
        newest_first = list(readable(rows.filter(seq__lt=position.before)).reverse()[: PAGE + 1])
        messages = take_fitting(newest_first[:PAGE])[::-1]
        return _build(messages, len(newest_first) > len(messages), tip)
    if position.at and not position.after:
        messages = _read_around(rows, position.at)
        return _build(messages, bool(messages) and messages[0].parent_seq is not None, tip)
    return _build(take_fitting(readable(rows.filter(seq__gt=position.after))[:PAGE]), position.after > 0, tip)


def _read_around(rows: QuerySet[Message], seq: int) -> list[Message]:
    """Return the messages from `seq` on, and before them a context: at most CONTEXT messages that precede `seq`."""
    start = rows.filter(seq__lt=seq).order_by("-seq").values("seq")[CONTEXT - 1 : CONTEXT]
    around = list(readable(rows.filter(seq__gte=Coalesce(Subquery(start), 0)))[: PAGE + CONTEXT])
    context = [row for row in around if row.seq < seq]
    fitting = take_fitting(reversed(context), limit=CONTEXT_CHARACTERS, least=0)[::-1]
    return fitting + take_fitting(around[len(context) :])


def _build(messages: list[Message], earlier: bool, tip: int) -> Transcript:
    cut = set()
    for message in messages:
        for name in TEXTS:
            text = getattr(message, name) or ""
            if len(text) > LONG:
                cut.add((message.seq, name))
            setattr(message, name, text[:LONG])
    return Transcript(messages, earlier, tip, cut)


def take_fitting(messages: Iterable[Message], limit: int = PAGE_CHARACTERS, least: int = 1) -> list[Message]:
    """Return the first messages that have at most `limit` characters together, but at least `least` messages."""
    fitting: list[Message] = []
    size = 0
    for message in messages:
        size += sum(len(getattr(message, name) or "") for name in (*TEXTS, *JSON))
        if len(fitting) >= least and size > limit:
            break
        fitting.append(message)
    return fitting


def readable(messages: QuerySet[Message]) -> QuerySet[Message]:
    """Return the messages with the attributes that TEXTS and JSON name. Texts have at most LONG + 1 characters."""
    reactions = Reaction.objects.filter(message=OuterRef("pk")).order_by("pk").values("type")[:REACTIONS]
    texts = {name: Left(text, LONG + 1) for name, text in TEXTS.items()}
    return messages.only(*COLUMNS, "parent_seq").annotate(**texts, **JSON, reaction_types=ArraySubquery(reactions))


def parse_seq(text: str | None) -> int:
    """Return a `seq` from a URL, or 0 if it is not one."""
    try:
        return max(int(text or 0), 0)
    except ValueError:
        return 0
