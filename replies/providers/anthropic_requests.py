"""Converts requests from OpenAI's format for chat completions into that of Anthropic's API for messages.

Options without a counterpart are left out: `response_format` without a schema, and tools that are no functions.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Block = dict[str, Any]
DATA_URL = re.compile(r"data:([\w.+/-]+)(?:;[\w.=+-]+)*;base64,(.*)", re.DOTALL)
TOOL_CHOICES = {"auto": "auto", "required": "any", "none": "none"}
# The newest models refuse `temperature` and `top_p`, older ones accept them.
UNCHANGED = ("max_tokens", "temperature", "top_p")


def build_request(messages: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the messages and the options as fields of a request. No option is None."""
    request = {name: options[name] for name in UNCHANGED if name in options}
    request["messages"] = convert_messages(messages)
    if system := "\n\n".join(message["content"] for message in messages if message["role"] == "system"):
        request["system"] = system
    if stop := options.get("stop"):
        request["stop_sequences"] = [stop] if isinstance(stop, str) else stop
    if schema := _schema(options.get("response_format")):
        request["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    return request | _tools(options)


def _schema(response_format: Any) -> Any:
    match response_format:
        case {"json_schema": {"schema": dict(schema)}}:
            return schema
    return None


def _tools(options: Mapping[str, Any]) -> dict[str, Any]:
    functions = [tool["function"] for tool in options.get("tools", []) if isinstance(tool.get("function"), dict)]
    if not functions:
        return {}
    request: dict[str, Any] = {"tools": [_tool(function) for function in functions]}
    match options.get("tool_choice"):
        case str(choice) if choice in TOOL_CHOICES:
            request["tool_choice"] = {"type": TOOL_CHOICES[choice]}
        case {"function": {"name": str(name)}}:
            request["tool_choice"] = {"type": "tool", "name": name}
    return request


def _tool(function: Mapping[str, Any]) -> dict[str, Any]:
    described = {"description": function["description"]} if function.get("description") else {}
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    return {"name": function.get("name"), **described, "input_schema": schema}


def convert_messages(messages: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the messages in turns of user and assistant. The first turn is the user's, as the API requires.

    The results of tools are part of the user's turn. System messages are left out.
    """
    turns: list[dict[str, Any]] = []
    for message in messages:
        role = "assistant" if message["role"] == "assistant" else "user"
        if message["role"] == "system" or not (turns or message["role"] == "user"):
            continue
        if not (blocks := _blocks(message)):
            continue
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": role, "content": blocks})
    return turns


def _blocks(message: Mapping[str, Any]) -> list[Block]:
    if message["role"] == "tool":
        return [{"type": "tool_result", "tool_use_id": message["tool_call_id"], "content": message["content"] or ""}]
    content = message["content"] or ""
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    blocks = [block for part in parts if (block := _block(part))]
    return [*blocks, *map(_tool_use, message.get("tool_calls") or [])]


def _block(part: Mapping[str, Any]) -> Block | None:
    match part:
        case {"type": "text", "text": str(text)}:
            return {"type": "text", "text": text} if text.strip() else None  # the API refuses blank texts
        case {"type": "image_url", "image_url": {"url": str(url)}}:
            return {"type": "image", "source": _source(url)}
        case {"type": "file", "file": {"file_data": str(url), **file}}:
            title = {"title": file["filename"]} if file.get("filename") else {}
            return {"type": "document", "source": _source(url), **title}
        case {"type": "file", "file": {"file_id": str(id)}}:
            return {"type": "document", "source": {"type": "file", "file_id": id}}
    return None


def _source(url: str) -> dict[str, Any]:
    if not (found := DATA_URL.fullmatch(url)):
        return {"type": "url", "url": url}
    media_type, data = found.groups()
    if media_type == "text/plain":
        return {"type": "text", "media_type": media_type, "data": _decoded(data)}
    return {"type": "base64", "media_type": media_type, "data": data}


def _decoded(data: str) -> str:
    try:
        return base64.b64decode(data).decode(errors="replace")
    except binascii.Error:
        return ""


def _tool_use(call: Mapping[str, Any]) -> Block:
    function = call["function"]
    return {"type": "tool_use", "id": call["id"], "name": function["name"], "input": _arguments(function["arguments"])}


def _arguments(text: str) -> dict[str, Any]:
    try:
        arguments = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return arguments if isinstance(arguments, dict) else {}
