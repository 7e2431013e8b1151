"""Pages of a transcript: the active path of a conversation, in the order of `seq`.

A page is a range of `seq`, so its cost does not depend on the length of the conversation. A text can be a megabyte
long, so PostgreSQL returns only the beginning of each text. The page of a single message shows more.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, Func, QuerySet, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Left, NullIf
from django.http import QueryDict
from django.utils.translation import gettext

from conversations.models import Conversation, Message

from .fields import INDENTED

PAGE = 100  # messages
PAGE_CHARACTERS = 1_000_000  # the most characters in all texts of a page together
LONG = 20_000  # the most characters of one text; a longer text is cut
COLUMNS = """conversation_id seq role item_type name model tool_call_id status finish_reason error prompt_tokens
    completion_tokens created_at""".split()


class Pretty(Func):
    """JSON as text. Only short JSON is indented, because each level of nesting indents each line further."""

    template = f"""CASE WHEN pg_column_size(%(expressions)s) > {INDENTED}
        OR octet_length((%(expressions)s)::text) > {INDENTED}
        THEN (%(expressions)s)::text ELSE jsonb_pretty(%(expressions)s) END"""
    output_field = TextField()


class Strings(Func):
    """The strings at a path in JSON, joined with `between`. An empty string if there are none."""

    template = """array_to_string(ARRAY(
        SELECT jsonb_path_query(%(expressions)s, '%(path)s ? (@.type() == "string")') #>> '{}'), E'%(between)s')"""
    output_field = TextField()


def join_strings(json: str, path: str, between: str) -> Combinable:
    """Return an expression for the strings at a path in JSON, or null if there are none."""
    return NullIf(Strings(F(json), path=path, between=between), Value(""))


TEXTS: dict[str, Combinable] = {
    "text": Coalesce("content", join_strings("parts", "$[*].text", "\\n\\n")),
    "thoughts": F("reasoning"),
    "structure": Pretty("parts"),
    "calls": Pretty("tool_calls"),
    "called": join_strings("tool_calls", "$[*].function.name", ", "),
}


@dataclass(frozen=True)
class Transcript:
    messages: list[Message]
    earlier: bool  # whether the path has messages before these
    tip: int

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
        return self.tip + 1


def read_page(conversation: Conversation, query: QueryDict) -> Transcript:
    """Return the page after the `seq` in `after`, or the page before the `seq` in `before`, or the first page."""
    rows = readable(conversation.messages.shown())
    after, before = _seq(query.get("after")), _seq(query.get("before"))
    if before:
        newest_first = list(rows.filter(seq__lt=before).reverse()[: PAGE + 1])
        messages = _take_fitting(newest_first[:PAGE])[::-1]
        earlier = len(newest_first) > len(messages)
    else:
        messages, earlier = _take_fitting(rows.filter(seq__gt=after)[:PAGE]), after > 0
    return Transcript(messages, earlier, conversation.tip_seq or 0)


def _take_fitting(messages: Iterable[Message]) -> list[Message]:
    """Cut the texts of the messages. Return as many as fit on a page, but at least one."""
    fitting: list[Message] = []
    size = 0
    for message in map(_cut, messages):
        size += sum(len(getattr(message, name) or "") for name in (*TEXTS, "error"))
        if fitting and size > PAGE_CHARACTERS:
            break
        fitting.append(message)
    return fitting


def readable(messages: QuerySet[Message]) -> QuerySet[Message]:
    """Return the messages with the attributes in TEXTS, each with at most LONG + 1 characters."""
    return messages.only(*COLUMNS).annotate(**{name: Left(text, LONG + 1) for name, text in TEXTS.items()})


def _cut(message: Message) -> Message:
    for name in TEXTS:
        text = getattr(message, name) or ""
        if len(text) > LONG:
            setattr(message, name, text[:LONG] + "\n" + gettext("… (cut here; the page of the message shows more)"))
    return message


def _seq(text: str | None) -> int:
    try:
        return int(text or 0)
    except ValueError:
        return 0
