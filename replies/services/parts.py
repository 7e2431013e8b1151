"""The content of a stored message in OpenAI's format for chat completions.

The `parts` of a message are any JSON. Three formats are known: the parts of chat completions, those of OpenAI's
responses, and those of Vercel's AI SDK. Other parts are left out.
"""

from collections.abc import Iterator, Sequence
from typing import Any

TEXT_KEYS = {"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal"}
UNREADABLE = {"image": "[An image that this model cannot read]", "file": "[A file that this model cannot read{name}]"}
URLS = ("data:", "https://", "http://")


def text_of(message: dict[str, Any]) -> str:
    """Return the content of a message. If it has none, return the texts of its parts."""
    return message["content"] or "\n".join(_texts(message["parts"]))


def content_of(message: dict[str, Any], inputs: Sequence[str]) -> str | list[dict[str, Any]]:
    """Return the content with the images and files that the model reads. A short text stands for each other one."""
    parts = [_readable(part, inputs) for part in _attachments(message["parts"])]
    text = text_of(message)
    if all(part["type"] == "text" for part in parts):
        return "\n".join([*([text] if text else []), *(part["text"] for part in parts)])
    return [*([_text(text)] if text else []), *parts]


def _texts(parts: Any) -> Iterator[str]:
    for part in _dicts(parts):
        value = part.get(TEXT_KEYS.get(str(part.get("type")), ""))
        if isinstance(value, str) and value:
            yield value


def _attachments(parts: Any) -> Iterator[dict[str, Any]]:
    return (found for part in _dicts(parts) if (found := _image(part) or _file(part)))


def _dicts(parts: Any) -> list[dict[str, Any]]:
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []


def _image(part: dict[str, Any]) -> dict[str, Any] | None:
    image = part.get("image_url") if part.get("type") in ("image_url", "input_image") else None
    if part.get("type") == "file" and str(part.get("mediaType")).startswith("image/"):
        image = part.get("url")
    url = image.get("url") if isinstance(image, dict) else image
    if not isinstance(url, str) or not url.startswith(URLS):
        return None
    return {"type": "image_url", "image_url": image if isinstance(image, dict) else {"url": url}}


def _file(part: dict[str, Any]) -> dict[str, Any] | None:
    if part.get("type") not in ("file", "input_file"):
        return None
    # Chat completions nest the file. The AI SDK calls its data `url`.
    file = part["file"] if isinstance(part.get("file"), dict) else {"file_data": part.get("url"), **part}
    known = {key: file[key] for key in ("file_data", "file_id", "filename") if isinstance(file.get(key), str)}
    return {"type": "file", "file": known} if {"file_data", "file_id"} & known.keys() else None


def _readable(part: dict[str, Any], inputs: Sequence[str]) -> dict[str, Any]:
    kind = "image" if part["type"] == "image_url" else "file"
    if kind in inputs:
        return part
    name = part.get("file", {}).get("filename")
    return _text(UNREADABLE[kind].format(name=f": {name}" if name else ""))


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}
