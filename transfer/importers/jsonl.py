"""JSON Lines, a conversation a line: {"id"?, "title"?, "tags"?, "messages": [{"role", "content", "model"?}, …]}.

Also as archive.py writes them: what is not in the trash, and of that the branch that is shown. Fields of the API that
are read only there are ignored."""

import gzip
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, NamedTuple

import orjson
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import User
from chatstore import strict_json
from chatstore.errors import Invalid, ServiceError
from chatstore.fingerprints import fingerprint
from conversations import columns
from conversations.models import Conversation, Message
from conversations.services import conversations

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
    "error": (settings.METADATA_LIMIT, lambda text: len(text.encode())),
    "metadata": (settings.METADATA_LIMIT, lambda data: len(orjson.dumps(data))),
    "usage": (settings.METADATA_LIMIT, lambda data: len(orjson.dumps(data))),
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
                yield from _load_line(number, line, user)


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _load_line(number: int, line: bytes, user: User) -> Iterator[Loaded]:
    try:
        data = strict_json.loads(line)
        if _is_trashed(data):
            return
        fields, drafts = _read(data)
        _, is_new = conversations.create(user=user, fields=fields, drafts=drafts)
    except ServiceError as error:
        yield Loaded(number, False, f"{error.field}: {error.message}" if error.field else error.message)
    else:
        yield Loaded(number, is_new, "")


def _is_trashed(data: Any) -> bool:
    return isinstance(data, dict) and data.get("deleted_at") is not None


def _is_hidden(data: Any) -> bool:
    return isinstance(data, dict) and data.get("is_active") is False


def _read(data: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Fields and messages in the store's terms. Without an id, the line's own content is its name: again is again."""
    fields = _known(data, CONVERSATION_KEYS, "")
    messages = fields.pop("messages", [])
    if not isinstance(messages, list):
        raise Invalid("Must be an array.", field="messages")
    fields |= {"external_id": _name(fields) or f"jsonl-{fingerprint(data).hex()}", "source": "jsonl"}
    drafts = [
        _draft(message, f"messages[{index}]")
        for index, message in enumerate(messages)
        if not _is_trashed(message) and not _is_hidden(message)
    ]
    _check(Conversation(**({"title": "-"} | fields)), fields, "")
    return fields, drafts


def _draft(data: Any, path: str) -> dict[str, Any]:
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
            return moment
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
