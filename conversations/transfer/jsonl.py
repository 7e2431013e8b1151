"""JSON Lines, a conversation a line: {"id"?, "title"?, "tags"?, "messages": [{"role", "content", "model"?}, …]}."""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import orjson
from django.conf import settings
from django.core.exceptions import ValidationError

from accounts.models import User
from chatstore import strict_json
from chatstore.errors import Invalid, Refused
from chatstore.fingerprints import fingerprint
from conversations.models import Conversation, Message
from conversations.services import conversations

FIELDS = {"id", "title", "tags", "notebooks", "metadata", "model", "messages"}
MESSAGE_FIELDS = {
    "id", "role", "content", "parts", "reasoning", "name", "model", "tool_calls", "tool_call_id", "metadata",
}  # fmt: skip
TYPES: dict[str, Any] = {  # the rest are strings
    "tags": list, "notebooks": list, "metadata": dict, "parts": (dict, list), "tool_calls": list,
}  # fmt: skip
LABELS = ("tags", "notebooks")
LIMITS: dict[str, tuple[int, Callable[[Any], int]]] = {
    "content": (settings.CONTENT_LIMIT, lambda text: len(text.encode())),
    "reasoning": (settings.CONTENT_LIMIT, lambda text: len(text.encode())),
    "metadata": (settings.METADATA_LIMIT, lambda data: len(orjson.dumps(data))),
}


class Loaded(NamedTuple):
    line: int
    is_new: bool
    error: str


def load(path: Path, *, user: User) -> Iterator[Loaded]:
    """One line at a time, each a transaction of its own: a bad line is told and passed over."""
    with _opened(path) as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield _load_line(number, line, user)


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _load_line(number: int, line: bytes, user: User) -> Loaded:
    try:
        fields, drafts = _read(strict_json.loads(line))
        _, is_new = conversations.create(user=user, fields=fields, drafts=drafts)
    except Refused as error:
        return Loaded(number, False, f"{error.field}: {error.message}" if error.field else error.message)
    return Loaded(number, is_new, "")


def _read(data: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Fields and messages in the store's terms. Without an id, the line's own content is its name: again is again."""
    fields = _known(data, FIELDS, "")
    messages = fields.pop("messages", [])
    if not isinstance(messages, list):
        raise Invalid("Must be an array.", field="messages")
    fields |= {"external_id": fields.pop("id", None) or f"jsonl-{fingerprint(data).hex()}", "source": "jsonl"}
    drafts = [_draft(message, f"messages[{index}]") for index, message in enumerate(messages)]
    _check(Conversation(**({"title": "-"} | fields)), fields, "")
    return fields, drafts


def _draft(data: Any, path: str) -> dict[str, Any]:
    draft = _known(data, MESSAGE_FIELDS, path)
    if "id" in draft:
        draft["external_id"] = draft.pop("id") or None
    _check(Message(**draft), {"role"} | draft.keys(), path)
    return draft


def _known(data: Any, names: set[str], path: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise Invalid("Must be an object.", field=path or None)
    if unknown := sorted(data.keys() - names):
        raise Invalid("There is no such field.", field=".".join(filter(None, [path, unknown[0]])))
    return dict(data)


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
            raise Invalid(" ".join(error.messages), field=".".join(filter(None, [path, spelled]))) from None


def _check_type(name: str, value: Any) -> None:
    """As the API would: what it refuses, a client could not send back."""
    expected = TYPES.get(name, str)
    is_labels = name in LABELS
    if not isinstance(value, expected) or (is_labels and not all(isinstance(label, str) for label in value)):
        raise ValidationError("Has the wrong type.")
    if is_labels and len(value) > settings.LABELS_LIMIT:
        raise ValidationError(f"Has {len(value):,} items; the limit is {settings.LABELS_LIMIT:,}.")
    limit, size = LIMITS.get(name, (0, len))
    if limit and size(value) > limit:
        raise ValidationError(f"Has {size(value):,} bytes; the limit is {limit:,}.")
