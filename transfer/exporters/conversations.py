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

from .archive import join, read_messages

Fields = dict[str, Any]
CSV_COLUMNS = (
    "conversation_id", "title", "seq", "created_at", "role", "name", "model", "status", "prompt_tokens",
    "completion_tokens", "content",
)  # fmt: skip
PAGE_START = """<!doctype html><html><head><meta charset="utf-8"><title>Conversations</title><style>
body { max-width: 45rem; margin: 2rem auto; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif; }
article { margin: 1rem 0; padding-left: 1rem; border-left: 3px solid #bbb; break-inside: avoid-page; }
article.user { border-color: #36c; } header { color: #666; font-size: .85em; }
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
    write: Callable[[Iterable[Source]], Iterator[bytes]]


def stream(sources: Iterable[Source], format: str) -> Iterator[bytes]:
    """Yield the pieces of a file with these conversations. `format` is a key of FORMATS.

    Conversations that are not there any more are left out.
    """
    return FORMATS[format].write(sources)


def _write_jsonl(sources: Iterable[Source]) -> Iterator[bytes]:
    for text, messages in _read(sources):
        yield from _write_object(text, messages)
        yield b"\n"


def _write_json(sources: Iterable[Source]) -> Iterator[bytes]:
    start = b"["
    for text, messages in _read(sources):
        yield start
        yield from _write_object(text, messages)
        start = b",\n"
    yield b"]\n" if start != b"[" else b"[]\n"


def _write_object(text: str, messages: Iterable[str]) -> Iterator[bytes]:
    yield text[:-1].encode() + b',"messages":['
    yield from join(message.encode() for message in messages)
    yield b"]}"


def _write_csv(sources: Iterable[Source]) -> Iterator[bytes]:
    yield to_csv([CSV_COLUMNS]).encode()
    for conversation, messages in _read_shown(sources):
        first = (conversation["id"], conversation["title"])
        for message in messages:
            rest = (message[name] for name in CSV_COLUMNS[2:-1])
            yield to_csv([(*first, *rest, text_of(message))]).encode()


def _write_markdown(sources: Iterable[Source]) -> Iterator[bytes]:
    for conversation, messages in _read_shown(sources):
        yield f"# {_on_one_line(conversation['title']) or 'Conversation'}\n".encode()
        for message in messages:
            yield f"\n## {_heading(message)}\n\n{text_of(message).rstrip()}\n".encode()
        yield b"\n"


def _write_html(sources: Iterable[Source]) -> Iterator[bytes]:
    yield PAGE_START.encode()
    for conversation, messages in _read_shown(sources):
        yield f"<h1 dir=auto>{html.escape(conversation['title'])}</h1>\n".encode()
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


def _read(sources: Iterable[Source]) -> Iterator[tuple[str, Iterator[str]]]:
    """Yield each conversation as JSON, and the JSON of its messages."""
    for owner, id in sources:
        texts = Conversation.objects.owned_by(owner).kept().filter(id=id).json_texts()
        release_connection()
        for text in texts:
            yield text, (message for _, message in read_messages(owner, [str(id)]) if message)


def _read_shown(sources: Iterable[Source]) -> Iterator[tuple[Fields, Iterator[Fields]]]:
    """Yield each conversation and its messages that are shown."""
    for text, messages in _read(sources):
        rows = map(orjson.loads, messages)
        yield orjson.loads(text), (row for row in rows if row["is_active"] and not row["deleted_at"])
