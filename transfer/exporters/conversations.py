"""Exports of conversations in formats for people and programs, made while they are sent.

One batch of messages is in memory, and no database connection is open while the client reads. JSON and JSON Lines have
the messages of all branches, in the form of the API. The other formats have only the messages that are shown.
"""

import html
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from accounts.models import User
from chatstore.database import release_connection
from chatstore.spreadsheets import to_csv
from conversations.models import Conversation
from conversations.querysets import ConversationQuerySet

from .archive import CONVERSATIONS_PER_BATCH, join, read_messages

Fields = dict[str, Any]
Read = tuple[str, Iterator[str]]  # a conversation as JSON, and the JSON of its messages
CSV_COLUMNS = (
    "conversation_id", "title", "owner", "seq", "created_at", "role", "name", "model", "status", "prompt_tokens",
    "completion_tokens", "content",
)  # fmt: skip
PAGE_START = """<!doctype html><html><head><meta charset="utf-8"><title>Conversations</title><style>
body { max-width: 45rem; margin: 2rem auto; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif; }
article { margin: 1rem 0; padding-left: 1rem; border-left: 3px solid #bbb; break-inside: avoid-page; }
article.user { border-color: #36c; } header, h1 + p { color: #666; font-size: .85em; }
div { white-space: pre-wrap; overflow-wrap: anywhere; }
h1 { break-before: page; } h1:first-of-type { break-before: auto; }
</style></head><body>
"""


class Source(NamedTuple):
    """A conversation to export: its owner and its id."""

    owner: User
    id: UUID


class Format(NamedTuple):
    """A format of exports. `write` yields the pieces of the file."""

    media_type: str
    extension: str
    write: Callable[[Iterable[Read]], Iterator[bytes]]


def stream(sources: Iterable[Source], format: str, *, with_owners: bool = False) -> Iterator[bytes]:
    """Yield the pieces of a file with these conversations. `format` is a key of FORMATS.

    With `with_owners`, each conversation has the id and the e-mail address of its owner. Conversations that are not
    there any more are left out.
    """
    return FORMATS[format].write(_read(sources, with_owners))


def read_ids(conversations: ConversationQuerySet) -> Iterator[UUID]:
    """Yield the ids of these conversations, newest first. Reads them in batches, so that no transaction stays open."""
    remaining = rows = conversations.by_creation()
    while batch := list(remaining.values_list("created_at", "id")[:CONVERSATIONS_PER_BATCH]):
        release_connection()
        yield from (id for _, id in batch)
        remaining = rows.before_creation(*batch[-1])


def _write_jsonl(conversations: Iterable[Read]) -> Iterator[bytes]:
    for text, messages in conversations:
        yield from _write_object(text, messages)
        yield b"\n"


def _write_json(conversations: Iterable[Read]) -> Iterator[bytes]:
    start = b"["
    for text, messages in conversations:
        yield start
        yield from _write_object(text, messages)
        start = b",\n"
    yield b"]\n" if start != b"[" else b"[]\n"


def _write_object(text: str, messages: Iterable[str]) -> Iterator[bytes]:
    yield text[:-1].encode() + b',"messages":['
    yield from join(message.encode() for message in messages)
    yield b"]}"


def _write_csv(conversations: Iterable[Read]) -> Iterator[bytes]:
    yield to_csv([CSV_COLUMNS]).encode()
    for conversation, messages in _parse(conversations):
        first = (conversation["id"], conversation["title"], (conversation.get("owner") or {}).get("name", ""))
        for message in messages:
            rest = (message[name] for name in CSV_COLUMNS[3:-1])
            yield to_csv([(*first, *rest, text_of(message))]).encode()


def _write_markdown(conversations: Iterable[Read]) -> Iterator[bytes]:
    for conversation, messages in _parse(conversations):
        yield f"# {_on_one_line(conversation['title']) or 'Conversation'}\n\n{_facts(conversation)}\n".encode()
        for message in messages:
            yield f"\n## {_heading(message)}\n\n{text_of(message).rstrip()}\n".encode()
        yield b"\n"


def _write_html(conversations: Iterable[Read]) -> Iterator[bytes]:
    yield PAGE_START.encode()
    for conversation, messages in _parse(conversations):
        title = html.escape(conversation["title"])
        yield f"<h1 dir=auto>{title}</h1>\n<p dir=auto>{html.escape(_facts(conversation))}</p>\n".encode()
        for message in messages:
            heading, text = html.escape(_heading(message)), html.escape(text_of(message))
            role = html.escape(message["role"])
            yield f'<article class="{role}"><header>{heading}</header><div dir=auto>{text}</div></article>\n'.encode()
    yield b"</body></html>\n"


FORMATS = {
    "jsonl": Format("application/jsonl", "jsonl", _write_jsonl),
    "json": Format("application/json", "json", _write_json),
    "csv": Format("text/csv; charset=utf-8", "csv", _write_csv),
    "markdown": Format("text/markdown; charset=utf-8", "md", _write_markdown),
    "html": Format("text/html; charset=utf-8", "html", _write_html),
}


def text_of(message: Fields) -> str:
    """Return the text of a message: its content, or the texts in its parts, and the names of the called tools."""
    parts = message["parts"] if isinstance(message["parts"], list) else []
    texts = [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]
    return "\n\n".join([message["content"] or "\n\n".join(texts), *_calls(message["tool_calls"])]).strip()


def _calls(stored: Any) -> Iterator[str]:
    for call in stored if isinstance(stored, list) else []:
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            yield f"[{function.get('name')}({function.get('arguments')})]"


def _heading(message: Fields) -> str:
    names = (message["role"], message["name"], message["model"], message["created_at"])
    return " · ".join(_on_one_line(name) for name in names if name)


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _facts(conversation: Fields) -> str:
    """Return what the line below a title says: the owner if the export names owners, the model, the time and the id."""
    owner = conversation.get("owner") or {}
    names = (owner.get("name"), conversation["model"], conversation["created_at"], conversation["id"])
    return " · ".join(_on_one_line(name) for name in names if name)


def _read(sources: Iterable[Source], with_owners: bool) -> Iterator[Read]:
    """Read the conversations one by one. Only their messages are read in batches."""
    for owner, id in sources:
        texts = Conversation.objects.owned_by(owner).kept().filter(id=id).json_texts()
        release_connection()
        for text in texts:
            messages = (message for _, message in read_messages(owner, [str(id)]) if message)
            yield (_add_owner(text, owner) if with_owners else text), messages


def _add_owner(text: str, owner: User) -> str:
    names = orjson.dumps({"id": owner.pk, "name": str(owner)}).decode()
    return f'{text[:-1]},"owner":{names}}}'


def _parse(conversations: Iterable[Read]) -> Iterator[tuple[Fields, Iterator[Fields]]]:
    """Yield each conversation, and its messages that are shown."""
    for text, messages in conversations:
        rows = map(orjson.loads, messages)
        yield orjson.loads(text), (row for row in rows if row["is_active"] and not row["deleted_at"])
