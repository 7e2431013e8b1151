"""A page of what is shown of a conversation, in order, found by `seq`: its cost does not grow with the conversation.

A message may hold a megabyte. PostgreSQL cuts its texts here; the message's own page shows all of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, Func, QuerySet, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Left, NullIf
from django.http import QueryDict

from conversations.models import Conversation, Message

from .fields import INDENTED

PAGE = 100
PAGE_CHARACTERS = 1_000_000  # of the texts on a page
LONG = 20_000
CUT = "\n… (cut here; the message's own page shows the rest)"
COLUMNS = """conversation_id seq role item_type name model tool_call_id status finish_reason error prompt_tokens
    completion_tokens created_at""".split()


class Pretty(Func):
    """JSON as text, with indents if it is short: each level of nesting adds its indent to each line."""

    template = f"""CASE WHEN pg_column_size(%(expressions)s) > {INDENTED}
        OR octet_length((%(expressions)s)::text) > {INDENTED}
        THEN (%(expressions)s)::text ELSE jsonb_pretty(%(expressions)s) END"""
    output_field = TextField()


class Strings(Func):
    """The strings at a path of some JSON, joined; null where there are none."""

    template = """array_to_string(ARRAY(
        SELECT jsonb_path_query(%(expressions)s, '%(path)s ? (@.type() == "string")') #>> '{}'), E'%(between)s')"""
    output_field = TextField()


def texts(json: str, path: str, between: str) -> Combinable:
    return NullIf(Strings(F(json), path=path, between=between), Value(""))


TEXTS: dict[str, Combinable] = {
    "text": Coalesce("content", texts("parts", "$[*].text", "\\n\\n")),
    "thoughts": F("reasoning"),
    "structure": Pretty("parts"),
    "calls": Pretty("tool_calls"),
    "called": texts("tool_calls", "$[*].function.name", ", "),
}


@dataclass(frozen=True)
class Transcript:
    messages: list[Message]
    earlier: bool  # some messages come before these
    tip: int

    def __str__(self) -> str:
        return f"messages {self.first} to {self.last}" if self.messages else "no messages"

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


def page(conversation: Conversation, asked: QueryDict) -> Transcript:
    rows = readable(conversation.messages.shown())
    after, before = _seq(asked.get("after")), _seq(asked.get("before"))
    if before:
        found = list(rows.filter(seq__lt=before).reverse()[: PAGE + 1])
        messages = _fitting(found[:PAGE])[::-1]
        earlier = len(found) > len(messages)
    else:
        messages, earlier = _fitting(rows.filter(seq__gt=after)[:PAGE]), after > 0
    return Transcript(messages, earlier, conversation.tip_seq or 0)


def _fitting(messages: Iterable[Message]) -> list[Message]:
    """Cut the messages' texts. Return the first messages that fit on a page, one at least."""
    fitting: list[Message] = []
    size = 0
    for message in map(_cut, messages):
        size += sum(len(getattr(message, name) or "") for name in (*TEXTS, "error"))
        if fitting and size > PAGE_CHARACTERS:
            break
        fitting.append(message)
    return fitting


def readable(messages: QuerySet[Message]) -> QuerySet[Message]:
    return messages.only(*COLUMNS).annotate(**{name: Left(text, LONG + 1) for name, text in TEXTS.items()})


def _cut(message: Message) -> Message:
    for name in TEXTS:
        text = getattr(message, name) or ""
        if len(text) > LONG:
            setattr(message, name, text[:LONG] + CUT)
    return message


def _seq(text: str | None) -> int:
    try:
        return int(text or 0)
    except ValueError:
        return 0
