"""JSON Lines, a conversation a line: {"id"?, "title"?, "tags"?, "messages": [{"role", "content", "model"?}, …]}.

The lines of an export have the same form. They also say how the messages form a tree (`seq`, `parent_seq` and
`is_active`). Conversations and messages in the trash are left out, and so are the other read-only fields."""

import gzip
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import NoneType
from typing import IO, Any

import orjson
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from chatstore import strict_json
from chatstore.errors import Invalid
from chatstore.fingerprints import fingerprint
from chatstore.times import to_utc
from conversations import columns
from conversations.drafts import TreeShape
from conversations.models import Conversation, Message

from .loading import ConversationTree

CONVERSATION_KEYS = {*columns.names(columns.CONVERSATION, columns.LOAD), "messages"}
MESSAGE_KEYS = set(columns.names(columns.MESSAGE, columns.LOAD))
# The export writes these keys, and an import ignores them.
READ_ONLY = {
    "is_archived",
    "reactions",
    *columns.names(columns.CONVERSATION, columns.READ),
    *columns.names(columns.MESSAGE, columns.READ),
}
TYPES: dict[str, Any] = {  # the rest are strings
    "tags": list, "notebooks": list, "metadata": dict, "parts": (dict, list), "tool_calls": list, "usage": dict,
    "is_pinned": bool, "prompt_tokens": int, "completion_tokens": int, "archived_at": datetime, "created_at": datetime,
}  # fmt: skip
TIMES = ("archived_at", "created_at")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LABELS = ("tags", "notebooks")
LIMITS: dict[str, tuple[int, Callable[[Any], int]]] = {
    "content": (settings.CONTENT_LIMIT, lambda text: len(text.encode())),
    "reasoning": (settings.CONTENT_LIMIT, lambda text: len(text.encode())),
    "parts": (settings.PARTS_LIMIT, lambda data: len(orjson.dumps(data))),
    "tool_calls": (settings.PARTS_LIMIT, lambda data: len(orjson.dumps(data))),
    "error": (settings.METADATA_LIMIT, lambda text: len(text.encode())),
    "metadata": (settings.METADATA_LIMIT, lambda data: len(orjson.dumps(data))),
    "usage": (settings.METADATA_LIMIT, lambda data: len(orjson.dumps(data))),
}


def lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the text of each line of a file, or of the file in a .gz. Blank lines are left out."""
    with _opened(path) as file:
        yield from ((number, line) for number, line in enumerate(file, start=1) if line.strip())


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def parse(line: bytes) -> ConversationTree | None:
    """Return the conversation of a line, or None if it is in the trash. Raises Invalid.

    A line without an id gets one that is made from its content, so that loading it again finds the same conversation.
    """
    data = strict_json.loads(line)
    if _is_trashed(data):
        return None
    fields = _known(data, CONVERSATION_KEYS, "")
    messages = fields.pop("messages", [])
    if not isinstance(messages, list):
        raise Invalid("Must be an array.", field="messages")
    fields |= {"external_id": _name(fields) or f"jsonl-{fingerprint(data).hex()}", "source": "jsonl"}
    drafts = [
        _draft(message, f"messages[{index}]") for index, message in enumerate(messages) if not _is_trashed(message)
    ]
    _check(Conversation(**({"title": "-"} | fields)), fields, "")
    return ConversationTree(fields, drafts, _shape(messages))


def _is_trashed(data: Any) -> bool:
    return isinstance(data, dict) and data.get("deleted_at") is not None


def _shape(messages: list[Any]) -> TreeShape | None:
    """Return how the messages that are not in the trash form a tree; None if each answers the one before.

    The answers to a message in the trash answer its nearest ancestor that is not in the trash.
    """
    if not any("parent_seq" in message for message in messages):
        return None
    index_of: dict[int | None, int | None] = {None: None}
    parents: list[int | None] = []
    tip = None
    for index, message in enumerate(messages):
        seq, parent = message.get("seq"), message.get("parent_seq")
        is_valid = type(seq) is int and type(parent) in (int, NoneType) and parent in index_of and seq not in index_of
        if not is_valid:
            message = "seq must be new, and parent_seq must be null or the seq of an earlier message."
            raise Invalid(message, field=f"messages[{index}].parent_seq")
        if _is_trashed(message):
            index_of[seq] = index_of[parent]
            continue
        index_of[seq] = len(parents)
        parents.append(index_of[parent])
        tip = len(parents) - 1 if message.get("is_active") else tip
    is_line = parents == [None, *range(len(parents) - 1)][: len(parents)] and tip == len(parents) - 1
    return None if is_line else TreeShape(parents, tip)


def _draft(data: Any, path: str) -> Any:
    draft = _known(data, MESSAGE_KEYS, path)
    if "id" in draft:
        draft["external_id"] = _name(draft)
    _check(Message(**draft), {"role"} | draft.keys(), path)
    return draft


def _name(fields: dict[str, Any]) -> Any:
    """Its client's id, or what was ours elsewhere."""
    ours = fields.pop("id", None)
    return fields.get("external_id") or ours or None


def _known(data: Any, names: set[str], path: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise Invalid("Must be an object.", field=path or None)
    if unknown := sorted(data.keys() - names - READ_ONLY):
        raise Invalid("There is no such field.", field=_spelled(path, unknown[0]))
    known = {name: value for name, value in data.items() if name in names}
    return known | {name: _moment(known[name], _spelled(path, name)) for name in TIMES if known.get(name) is not None}


def _moment(text: Any, path: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if EPOCH <= moment <= timezone.now():
            return to_utc(moment)
    except (TypeError, ValueError):  # no time, or one without a zone
        pass
    raise Invalid("Must be a time with its zone, from 1970 until now.", field=path)


def _spelled(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _check(row: Conversation | Message, fields: Any, path: str) -> None:
    for name in fields:
        field: Any = row._meta.get_field(name)
        value = getattr(row, name)
        try:
            if value is not None or not field.null:
                _check_type(name, value)
            field.clean(value, row)
        except ValidationError as error:
            spelled = "id" if name == "external_id" else name
            raise Invalid(" ".join(error.messages), field=_spelled(path, spelled)) from None


def _check_type(name: str, value: Any) -> None:
    """As the API would: what it refuses, a client could not send back."""
    expected = TYPES.get(name, str)
    is_labels = name in LABELS
    is_flag = isinstance(value, bool) and expected is not bool  # to Python it is a number
    if is_flag or not isinstance(value, expected) or (is_labels and not all(isinstance(label, str) for label in value)):
        raise ValidationError("Has the wrong type.")
    if expected is int and value < 0:
        raise ValidationError("Must not be negative.")
    if is_labels and len(value) > settings.LABELS_LIMIT:
        raise ValidationError(f"Has {len(value):,} items; the limit is {settings.LABELS_LIMIT:,}.")
    limit, size = LIMITS.get(name, (0, len))
    if limit and size(value) > limit:
        raise ValidationError(f"Has {size(value):,} bytes; the limit is {limit:,}.")
