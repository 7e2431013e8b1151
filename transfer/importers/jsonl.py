"""Importer of JSON Lines, one conversation per line: {"id", "title", "tags", "messages": [{"role", "content"}, …]}.

A message needs a role, and content, parts or tool calls. All other fields are optional. The lines of an export have the
same form; their `seq`, `parent_seq` and `is_active` describe the tree of the messages. The importer skips
conversations and messages in the trash, and ignores the other read-only fields.
"""

import gzip
from collections.abc import Container, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import orjson
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from chatstore import strict_json
from chatstore.errors import Invalid
from chatstore.fingerprints import fingerprint
from chatstore.text import size_above
from chatstore.times import to_utc
from conversations import columns
from conversations.drafts import TreeShape
from conversations.models import Conversation, Message

from .loading import ConversationTree

CONVERSATION_KEYS = {*columns.names(columns.CONVERSATION, columns.LOAD), "messages"}
MESSAGE_KEYS = set(columns.names(columns.MESSAGE, columns.LOAD))
# The keys of an export. An import accepts them, and stores only those in CONVERSATION_KEYS and MESSAGE_KEYS.
READ_ONLY = {"is_archived", "reactions", *columns.CONVERSATION_FIELDS, *columns.MESSAGE_FIELDS}
TYPES: dict[str, Any] = {  # the other fields are strings
    "tags": list, "notebooks": list, "metadata": dict, "model_options": dict, "parts": (dict, list), "tool_calls": list,
    "usage": dict, "is_pinned": bool, "prompt_tokens": int, "completion_tokens": int, "archived_at": datetime,
    "created_at": datetime,
}  # fmt: skip
TYPE_NAMES: dict[Any, str] = {
    str: "a string",
    list: "an array",
    dict: "an object",
    (dict, list): "an object or an array",
    bool: "true or false",
    int: "a whole number",
    datetime: "a time",
}
TIMES = ("archived_at", "created_at")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LABELS = ("tags", "notebooks")
# Strings are measured as UTF-8, other values as JSON. A test compares these limits with those of the API's serializers.
BYTE_LIMITS = {
    "content": settings.CONTENT_LIMIT,
    "reasoning": settings.CONTENT_LIMIT,
    "parts": settings.PARTS_LIMIT,
    "tool_calls": settings.PARTS_LIMIT,
    "error": settings.METADATA_LIMIT,
    "metadata": settings.METADATA_LIMIT,
    "model_options": settings.METADATA_LIMIT,
    "usage": settings.METADATA_LIMIT,
}


def lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the bytes of each line that is not blank. A file with the suffix .gz is decompressed.

    Raises OSError, EOFError or zlib.error if the file cannot be read.
    """
    with _open(path) as file:
        yield from ((number, line) for number, line in enumerate(file, start=1) if line.strip())


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def parse(line: bytes) -> ConversationTree | None:
    """Return the conversation of a line, or None if it is in the trash. Raises Invalid.

    A line without an id gets an `external_id` that is a hash of its content, so loading the line again finds the same
    conversation.
    """
    data = strict_json.loads(line)
    if _is_trashed(data):
        return None
    fields = _select(data, CONVERSATION_KEYS, "")
    messages = fields.pop("messages", [])
    if not isinstance(messages, list):
        raise Invalid("Must be an array.", field="messages")
    fields |= {"external_id": _pop_external_id(fields) or f"jsonl-{fingerprint(data).hex()}", "source": "jsonl"}
    drafts = _drafts(messages)
    # The service makes a missing title later. The placeholder is only for the validation, which requires a title.
    _validate(Conversation(**({"title": "-"} | fields)), fields, "")
    return ConversationTree(fields, drafts, _shape(messages))


def _is_trashed(data: Any) -> bool:
    return isinstance(data, dict) and data.get("deleted_at") is not None


def _drafts(messages: list[Any]) -> list[Any]:
    """Return the drafts of the messages that are not in the trash. Raises Invalid."""
    return [_draft(message, f"messages[{index}]") for index, message in enumerate(messages) if not _is_trashed(message)]


def _draft(data: Any, path: str) -> Any:
    draft = _select(data, MESSAGE_KEYS, path)
    if "id" in draft:
        draft["external_id"] = _pop_external_id(draft)
    _validate(Message(**draft), {"role"} | draft.keys(), path)
    return draft


def _pop_external_id(fields: dict[str, Any]) -> Any:
    """Remove the id from the fields. Return the `external_id`, or otherwise the id, or None."""
    id = fields.pop("id", None)
    return fields.get("external_id") or id or None


def _shape(messages: list[Any]) -> TreeShape | None:
    """Return the tree of the messages that are not in the trash. Raises Invalid.

    Return None if each message answers the previous one and all are active. A message whose parent is in the trash
    answers its nearest ancestor that is not in the trash.
    """
    if not any("parent_seq" in message for message in messages):
        return None
    draft_of: dict[int | None, int | None] = {None: None}  # maps a seq to the index of its draft
    parents: list[int | None] = []
    tip = None
    for index, message in enumerate(messages):
        seq, parent_seq = _position(message, draft_of, f"messages[{index}]")
        if _is_trashed(message):
            draft_of[seq] = draft_of[parent_seq]
            continue
        draft_of[seq] = len(parents)
        parents.append(draft_of[parent_seq])
        tip = draft_of[seq] if message.get("is_active") else tip
    return None if _is_line(parents, tip) else TreeShape(parents, tip)


def _position(message: dict[str, Any], earlier: Container[int | None], path: str) -> tuple[int, int | None]:
    """Return `seq` and `parent_seq` of a message. `earlier` has None and every earlier `seq`. Raises Invalid."""
    seq, parent_seq = message.get("seq"), message.get("parent_seq")
    is_parent = (parent_seq is None or type(parent_seq) is int) and parent_seq in earlier
    if type(seq) is int and seq not in earlier and is_parent:
        return seq, parent_seq
    text = "seq must be new, and parent_seq must be null or the seq of an earlier message."
    raise Invalid(text, field=f"{path}.parent_seq")


def _is_line(parents: list[int | None], tip: int | None) -> bool:
    """Return whether each message answers the previous one, and the last one is the tip."""
    return parents == [None, *range(len(parents) - 1)][: len(parents)] and tip == len(parents) - 1


def _select(data: Any, keys: set[str], path: str) -> dict[str, Any]:
    """Return the values of these keys, with times parsed. Raises Invalid for unknown keys."""
    if not isinstance(data, dict):
        raise Invalid("Must be an object.", field=path or None)
    if unknown := sorted(data.keys() - keys - READ_ONLY):
        raise Invalid("There is no such field.", field=_join(path, unknown[0]))
    selected = {name: value for name, value in data.items() if name in keys}
    times = {name: _parse_time(selected[name], _join(path, name)) for name in TIMES if selected.get(name) is not None}
    return selected | times


def _parse_time(text: Any, path: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
        if EPOCH <= time <= timezone.now():
            return to_utc(time)
    except (TypeError, ValueError):  # not a time, or a time without a zone
        pass
    raise Invalid("Must be a time with its zone, from 1970 until now.", field=path)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _validate(row: Conversation | Message, names: Iterable[str], path: str) -> None:
    """Raise Invalid for the first of these fields that the API would refuse."""
    for name in names:
        try:
            _validate_field(row, name)
        except ValidationError as error:
            key = "id" if name == "external_id" else name
            raise Invalid(" ".join(error.messages), field=_join(path, key)) from None


def _validate_field(row: Conversation | Message, name: str) -> None:
    field: Any = row._meta.get_field(name)
    value = getattr(row, name)
    if value is not None or not field.null:
        _validate_type(name, value)
        _validate_size(name, value)
    field.clean(value, row)


def _validate_type(name: str, value: Any) -> None:
    expected = TYPES.get(name, str)
    is_wrong_flag = isinstance(value, bool) and expected is not bool  # a bool is an int in Python
    if is_wrong_flag or not isinstance(value, expected):
        raise ValidationError(f"Must be {TYPE_NAMES[expected]}.")
    if name in LABELS and not all(isinstance(label, str) for label in value):
        raise ValidationError("Must be an array of strings.")
    if expected is int and value < 0:
        raise ValidationError("Must be 0 or more.")


def _validate_size(name: str, value: Any) -> None:
    if name in LABELS and len(value) > settings.LABELS_LIMIT:
        raise ValidationError(f"Has {len(value):,} items; the limit is {settings.LABELS_LIMIT:,}.")
    if limit := BYTE_LIMITS.get(name):
        size = size_above(value, limit) if isinstance(value, str) else len(orjson.dumps(value))
        if size > limit:
            raise ValidationError(f"Has {size:,} bytes; the limit is {limit:,}.")
