"""The structured content of a message: images, files, tool calls and other JSON, as pieces that a page can show.

The `parts` and `tool_calls` of a message are any JSON. The formats of chat completions, of OpenAI's responses, of
Anthropic's messages and of Vercel's AI SDK are known. Everything else is shown as JSON. Nothing is loaded from the
addresses in it: a page shows only small images that are in the JSON itself.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext

from staff.fields import INDENTED
from staff.visible import visible

from .page import ELEMENTS

TEXT_TYPES = {"text", "input_text", "output_text", "refusal", "summary_text"}
REASONING_TYPES = {"reasoning", "thinking"}
IMAGE_TYPES = {"image", "image_url", "input_image"}
MEDIA_TYPES = {*IMAGE_TYPES, "file", "input_file", "document", "input_audio", "audio"}
NESTED = ("file", "source", "input_audio", "image_url")  # keys whose value can be an object with the file
ADDRESSES = ("url", "file_data", "image_url", "image", "data")  # keys whose value is an address or the file itself
DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?[^,]{0,100}?(;base64)?,")
# The first bytes of the images that a page shows. SVG is not among them, because it can contain scripts.
SIGNATURES = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/gif": re.compile(rb"GIF8[79]a"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
}


@dataclass
class Block:
    """A part of a folded piece, such as the arguments of a tool call."""

    title: str
    html: SafeString


@dataclass
class Piece:
    kind: str  # "text", "reasoning", "image", "file", "tool" or "json"
    name: str = ""
    details: str = ""  # such as the type and the size
    text: str = ""  # Markdown
    image: str = ""  # a data URL that is safe to show
    number: int = 0  # of an image that is too large for the page; its position in `parts`, from 1
    address: str = ""  # of an image or file elsewhere
    blocks: list[Block] = field(default_factory=list)
    html: SafeString = SafeString("")  # the formatted text


@dataclass
class Call:
    """A tool call of an assistant. The page shows the messages with its results inside it."""

    id: str
    name: str
    blocks: list[Block]
    results: list[Any] = field(default_factory=list)
    duration: str = ""

    @property
    def has_problem(self) -> bool:
        return any(result.problem or result.message.status == "failed" for result in self.results)


def read_pieces(elements: str | None, text: str) -> Iterator[Piece]:
    """Yield the pieces of `parts`, from the JSON of transcript.Elements. Leave out what `text` contains already."""
    for number, element in enumerate(_parse(elements), 1):
        value = element["json"]
        if value is None:
            yield _outline(element, number)
        elif not (_is_text(value) and value["text"] in text):
            yield _piece(value, element["size"])


def read_calls(elements: str | None) -> list[Call]:
    """Return the tool calls in `tool_calls`, from the JSON of transcript.Elements."""
    return [_call(element["json"], element) for element in _parse(elements)]


def _html(value: Any) -> SafeString:
    return visible(pretty(value))


def pretty(value: Any) -> str:
    """Return JSON with indentation if it is short. Return a text that is not JSON as it is.

    Each level of nesting adds spaces to its lines. JSON that grows a lot by this is not indented.
    """
    try:
        data = json.loads(value) if isinstance(value, str) else value
        if isinstance(value, str) and not isinstance(data, dict | list):
            return value
        short = json.dumps(data, ensure_ascii=False)
        long = json.dumps(data, ensure_ascii=False, indent=2) if len(short) <= INDENTED else short
    except (ValueError, RecursionError):
        return str(value)
    return long if len(long) <= 4 * len(short) + 100 else short


def size(count: int) -> str:
    """Return a number of bytes with its unit, such as "12 kB"."""
    if count < 1_000:
        return gettext("{count} bytes").format(count=count)
    return f"{count / 1e3:.0f} kB" if count < 1e6 else f"{count / 1e6:.1f} MB"


def _parse(elements: str | None) -> list[dict[str, Any]]:
    try:
        found = json.loads(elements or "null") or []
        further = {"type": gettext("Further elements"), "size": 0, "json": None, "start": None}
        return found if len(found) <= ELEMENTS else [*found[:ELEMENTS], further]
    except (ValueError, RecursionError):  # nested more deeply than Python reads
        return [{"type": None, "size": len(elements or ""), "json": None, "start": (elements or "")[:200]}]


def _is_text(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("text"), str) and value.get("type", "text") in TEXT_TYPES


def _outline(element: dict[str, Any], number: int) -> Piece:
    """Return a piece for an element that is too large for the page."""
    kind = element["type"] or "JSON"
    media = DATA_URL.search(element["start"] or "")
    media_type = (media and media[1]) or ""
    if media_type in SIGNATURES or kind == "image":
        return Piece("image", "", " · ".join(filter(None, [media_type, size(element["size"])])), number=number)
    is_file = media_type or kind in MEDIA_TYPES
    details = " · ".join(filter(None, [element["size"] and size(element["size"]), gettext("too large for this page")]))
    return Piece("file" if is_file else "json", media_type or kind, details)


def _piece(value: Any, bytes_: int) -> Piece:
    if not isinstance(value, dict):
        return Piece("json", "JSON", size(bytes_), blocks=[Block("", _html(value))])
    kind = str(value.get("type") or "")
    if _is_text(value):
        return Piece("text", text=value["text"])
    if kind in REASONING_TYPES:
        return Piece("reasoning", text=str(value.get("text") or value.get("thinking") or value.get("summary") or ""))
    return (
        _media(value, kind)
        or _tool(value, kind)
        or Piece("json", kind or "JSON", size(bytes_), blocks=[Block("", _html(value))])
    )


def _media(value: dict[str, Any], kind: str) -> Piece | None:
    """Return the piece of an image, a file or a recording, or None."""
    nested: dict[str, Any] = next((value[key] for key in NESTED if isinstance(value.get(key), dict)), {})
    media_type = _first_text(nested, "media_type", "format") or _first_text(value, "mediaType", "mimeType")
    if kind not in MEDIA_TYPES:
        return None
    address = _first_text(nested, *ADDRESSES) or _first_text(value, *ADDRESSES)
    if found := DATA_URL.match(address):
        media_type, address = found[1] or media_type, address[found.end() :]
    is_image = kind in IMAGE_TYPES or media_type.startswith("image/")
    names = ("filename", "title", "name", "file_id")
    piece = Piece("image" if is_image else "file", _first_text(nested, *names) or _first_text(value, *names))
    if address.startswith(("https://", "http://")):
        piece.address, piece.details = address, media_type
        return piece
    data = _decode(address)
    piece.details = " · ".join(filter(None, [media_type, size(len(data)) if data else ""]))
    if is_image and (signature := SIGNATURES.get(media_type)) and signature.match(data):
        piece.image = f"data:{media_type};base64,{base64.b64encode(data).decode()}"
    return piece


def read_image(value: Any) -> tuple[str, bytes] | None:
    """Return the type and the bytes of an image in an element of `parts`, or None if it is not safe to show."""
    piece = _media(value, str(value.get("type"))) if isinstance(value, dict) else None
    if piece is None or not piece.image:
        return None
    media_type, _, data = piece.image.removeprefix("data:").partition(";base64,")
    return media_type, base64.b64decode(data)


def _first_text(value: dict[str, Any], *names: str) -> str:
    return next((value[name] for name in names if isinstance(value.get(name), str)), "")


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return b""


def _tool(value: dict[str, Any], kind: str) -> Piece | None:
    """Return the piece of a tool call or of its result, or None."""
    if not kind.startswith(("tool", "dynamic-tool", "function_call", "server_tool")):
        return None
    name = _first_text(value, "toolName", "name") or kind.removeprefix("tool-")
    titles = {
        gettext("Arguments"): ("input", "arguments", "args"),
        gettext("Result"): ("output", "result", "content"),
        gettext("Error"): ("errorText",),
    }
    found = {title: next((value[key] for key in keys if key in value), None) for title, keys in titles.items()}
    blocks = [Block(title, _html(content)) for title, content in found.items() if content is not None]
    return Piece("tool", name, str(value.get("state") or ""), blocks=blocks or [Block("", _html(value))])


def _call(value: Any, element: dict[str, Any]) -> Call:
    if not isinstance(value, dict):
        piece = _outline(element, 0) if value is None else _piece(value, element["size"])
        return Call("", piece.name, piece.blocks or [Block("", SafeString(piece.details))])
    function = value["function"] if isinstance(value.get("function"), dict) else value
    name = _first_text(function, "name", "toolName") or str(value.get("type") or "JSON")
    arguments = next((function[key] for key in ("arguments", "args", "input") if key in function), None)
    id = _first_text(value, "call_id", "toolCallId", "id")
    return Call(id, name, [Block(gettext("Arguments"), _html(value if arguments is None else arguments))])
