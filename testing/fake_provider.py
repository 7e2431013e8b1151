"""A fake model provider: OpenAI's API for chat completions on loopback, with a behavior that the test chooses.

It records the requests that it receives.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

PATIENCE = 30  # seconds
SECRET = "sk-not-for-anyone-else"


class FakeProvider(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behavior: Behavior = completes_with("Fine.")
        self.request_bodies: list[Any] = []
        self.keys: list[str] = []
        self.paths: list[str] = []
        self.left = Event()  # set when a client has disconnected before the end of a stream

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def route(self, model: str = "a-model") -> dict[str, str]:
        return {"kind": "openai", "base_url": self.base_url, "api_key": SECRET, "model": model}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors of clients that did not wait for the response."""


class _Handler(BaseHTTPRequestHandler):
    server: FakeProvider
    request_body: Any

    def do_POST(self) -> None:
        self.request_body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.request_bodies.append(self.request_body)
        self.server.keys.append(self.headers["Authorization"])
        self.server.paths.append(self.path)
        self.server.behavior(self)

    def reply(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        headers = {"Content-Type": content_type, "Content-Length": str(len(body)), "retry-after-ms": "1"}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


Behavior = Callable[[_Handler], None]
USAGE = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}


def completion(text: Any, **changes: Any) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    made = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    return {**made, "usage": USAGE, **changes}


def sends(body: Any, status: int = 200, content_type: str = "application/json") -> Behavior:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda handler: handler.reply(status, raw, content_type)


def completes_with(text: Any, **changes: Any) -> Behavior:
    return sends(completion(text, **changes))


def fails(status: int) -> Behavior:
    return sends({"error": {"message": f"{SECRET} is no good"}}, status)


def hangs_up(handler: _Handler) -> None:
    pass


def waits(until: Event, then: Behavior) -> Behavior:
    def answer(handler: _Handler) -> None:
        until.wait(PATIENCE)
        then(handler)

    return answer


def trickles(pause: float, until: Event) -> Behavior:
    """Send the headers of a response, then one space at a time. JSON allows spaces before a value."""

    def answer(handler: _Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        while not until.wait(pause):
            handler.wfile.write(b" ")

    return answer


def answers_when_set(gates: dict[str, Event]) -> Behavior:
    """Answer each question when its event is set."""

    def answer(handler: _Handler) -> None:
        question = handler.request_body["messages"][-1]["content"]
        waits(gates[question], completes_with(f"You said {question}."))(handler)

    return answer


# A dict: the delta of a chunk; a text: a delta with it; bytes: sent as they are; an Event: wait for it; a number: wait
# for so many seconds.
Step = Any


def streams(*steps: Step, ends: bool = True) -> Behavior:
    """Stream an answer as server-sent events. If `ends` is false, disconnect before the end."""
    last = [b"data: " + json.dumps(chunk({}, "stop")).encode() + b"\n\n", b"data: [DONE]\n\n"] if ends else []

    def answer(handler: _Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        for step in [*steps, *last]:
            _take(step, handler)

    return answer


def _take(step: Step, handler: _Handler) -> None:
    if isinstance(step, Event):
        step.wait(PATIENCE)
    elif isinstance(step, float):
        time.sleep(step)
    elif isinstance(step, str):
        _take({"content": step}, handler)
    else:
        handler.wfile.write(step if isinstance(step, bytes) else b"data: " + json.dumps(chunk(step)).encode() + b"\n\n")


def streams_on(pause: float, text: str = "more ") -> Behavior:
    """Stream a text again and again, until the client disconnects."""

    def answer(handler: _Handler) -> None:
        streams(ends=False)(handler)
        try:
            while not time.sleep(pause):
                _take({"content": text}, handler)
        except OSError:
            handler.server.left.set()

    return answer


def chunk(delta: Any, finish_reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


@contextmanager
def running() -> Iterator[FakeProvider]:
    with FakeProvider() as provider:
        Thread(target=provider.serve_forever, args=[0.01], daemon=True).start()
        yield provider
        provider.shutdown()


# Responses that are not a valid completion, by name
JUNK = {
    "HTML": sends(b"<html>Welcome</html>", content_type="text/html"),
    "HTML that says it is JSON": sends(b"<html>Welcome</html>"),
    "nothing": sends(b""),
    "null": sends(None),
    "an array": sends([]),
    "no choices": sends(completion("", choices=[])),
    "choices null": sends(completion("", choices=None)),
    "a choice that is none": sends(completion("", choices=[5])),
    "no message": sends(completion("", choices=[{}])),
    "null content": completes_with(None),
    "content that is no text": completes_with(5),
}
FAILURES = {
    "401": fails(401),
    "429": fails(429),
    "500": fails(500),
    "hangs up": hangs_up,
    **JUNK,
}
# How chatstore names the failures that do not depend on the body of the response
CAUSES = {
    "401": "answered with the status 401",
    "429": "answered with the status 429",
    "500": "answered with the status 500",
    "hangs up": "cannot be reached",
}


def _finishes(reason: Any) -> dict[str, Any]:
    return {"choices": [{**completion("Fine.")["choices"][0], "finish_reason": reason}]}


def _counts(prompt: Any, completion: Any) -> dict[str, Any]:
    return {"usage": {"prompt_tokens": prompt, "completion_tokens": completion}}


# Malformed fields beside a valid text
JUNK_BESIDE = {
    "no counts": {"usage": {}},
    "counts that are texts": _counts("many", "few"),
    "counts that are negative": _counts(-1, -1),
    "counts beyond all bounds": _counts(2**31, 2**40),
    "counts beyond 64 bits": _counts(2**64, 1),
    "counts that are fractions": _counts(1.5, 2.0),
    "counts that are true": _counts(True, False),
    "usage that is a text": {"usage": "much"},
    "usage that is an array": {"usage": [7, 2]},
    "usage with NUL": {"usage": {"note\0": "a\0b"}},
    "usage with half a surrogate pair": {"usage": {"note": "\ud800"}},
    "a long reason": _finishes("x" * 100),
    "a reason that is a number": _finishes(5),
    "a reason with NUL": _finishes("a\0b"),
}
