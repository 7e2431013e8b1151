"""Events of Anthropic's API for messages, which a FakeProvider sends. The shapes are those of its documentation:
https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

import json
from threading import Event
from typing import Any

from .fake_provider import SECRET, Behavior, FakeProvider, streams

PING = {"type": "ping"}
STOP = {"type": "message_stop"}


def route(provider: FakeProvider, **fields: str) -> dict[str, str]:
    base_url = f"http://127.0.0.1:{provider.server_port}"
    return {"kind": "anthropic", "base_url": base_url, "api_key": SECRET, "model": "a-model"} | fields


def start(**usage: int) -> dict[str, Any]:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "a-model"}
    return {"type": "message_start", "message": {**message, "usage": {"input_tokens": 7, "output_tokens": 1, **usage}}}


def block(index: int, kind: str, *deltas: dict[str, Any], **fields: Any) -> list[dict[str, Any]]:
    """Return the events of a content block."""
    place = {"index": index}
    return [
        {"type": "content_block_start", **place, "content_block": {"type": kind, **fields}},
        *({"type": "content_block_delta", **place, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", **place},
    ]


def text_block(index: int, *texts: str) -> list[dict[str, Any]]:
    return block(index, "text", *({"type": "text_delta", "text": text} for text in texts), text="")


def thinking_block(index: int, *texts: str) -> list[dict[str, Any]]:
    deltas = [{"type": "thinking_delta", "thinking": text} for text in texts]
    return block(index, "thinking", *deltas, {"type": "signature_delta", "signature": "Eq"}, thinking="")


def tool_block(index: int, id: str, name: str, *pieces: str) -> list[dict[str, Any]]:
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ("", *pieces)]
    return block(index, "tool_use", *deltas, id=id, name=name, input={})


def end(reason: str = "end_turn", tokens: int = 2) -> list[dict[str, Any]]:
    delta = {"stop_reason": reason, "stop_sequence": None}
    return [{"type": "message_delta", "delta": delta, "usage": {"output_tokens": tokens}}, STOP]


def failure(kind: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": f"{SECRET} is no good"}}


def sends_events(*steps: Any) -> Behavior:
    """Stream these events, and then disconnect. A step can also be bytes, or an Event of threading to wait for."""
    return streams(*(step if isinstance(step, bytes | Event) else encoded(step) for step in steps), ends=False)


def encoded(event: dict[str, Any]) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
