"""Measure the requests of contract D one by one, in turn with the functions of its own service."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from random import Random
from typing import Any, Protocol
from urllib.request import Request, urlopen
from uuid import UUID

import psycopg

from . import table
from .storage import service
from .table import Line
from .text import Writer
from .users import add_user
from .world import BEGIN
from .wrk import Measured

PATH = "/api/v1/storage/chat-sessions"
MESSAGES = 50  # in a session
TIMEOUT = 300  # seconds


class Store(Protocol):
    def save(self, body: bytes) -> None: ...

    def read(self) -> bytes: ...


class Chatstore:
    """Sends the requests to chatstore, over HTTP."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url + PATH
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def save(self, body: bytes) -> None:
        self._send(body)

    def read(self) -> bytes:
        return self._send(None)

    def _send(self, body: bytes | None) -> bytes:
        with urlopen(Request(self.url, body, self.headers), timeout=TIMEOUT) as answer:
            return answer.read()


Step = Callable[[Store], object]
AT_MOST = {"first save": 1.5, "same again": 0.15, "one message more": 0.15, "read all": 1.2}
# Merges what earlier measurements have written into the text indexes. `up` does this every ten seconds.
MERGE = "SELECT gin_clean_pending_list('message_words'), gin_clean_pending_list('message_trigrams')"
FIRST_SAVE_AT_MOST = 4_000  # ms, for 20,000 messages


def lines(server: str, database_url: str, *, sessions: int, turns: int) -> Iterator[Line]:
    times: dict[str, list[list[Measured]]] = {name: [] for name in AT_MOST}
    for turn in range(turns):
        for name, measured in _turn(server, database_url, turn, sessions):
            times[name].append(measured)
    for name, at_most in AT_MOST.items():
        ours, theirs = (Measured.median(of_one) for of_one in zip(*times[name], strict=True))
        size = f" of {sessions} × {MESSAGES}" if name == "first save" else ""
        yield table.time_ratio(f"D {name}{size}", ours, theirs, at_most)
        if name == "first save":
            yield table.latency(f"D {name}{size}", ours, FIRST_SAVE_AT_MOST)


def _turn(server: str, database_url: str, turn: int, sessions: int) -> Iterator[tuple[str, list[Measured]]]:
    """Measure all steps of both sides, from an empty start: a new user of chatstore, and new tables of the service."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        _, token = add_user(connection, f"storage{turn}")
        connection.execute(MERGE)
    with service.serving(database_url) as theirs:
        stores = (Chatstore(server, token), theirs)
        for name, step in _steps(sessions).items():
            yield name, [_measure(step, store) for store in stores]
        for store in stores:
            _check(store, sessions)


def _steps(sessions: int) -> dict[str, Step]:
    world = _world(sessions)
    first = json.dumps({"chatSessions": world}).encode()
    world[0]["messages"].append({"id": str(UUID(int=0)), "role": "user", "content": "And one more question?"})
    more = json.dumps({"chatSessions": world}).encode()
    return {
        "first save": lambda store: store.save(first),
        "same again": lambda store: store.save(first),
        "one message more": lambda store: store.save(more),
        "read all": lambda store: store.read(),
    }


def _measure(step: Step, store: Store) -> Measured:
    start = time.perf_counter()
    step(store)
    return Measured.of_one(time.perf_counter() - start)


def _check(store: Store, sessions: int) -> None:
    """Exit with an error if the store does not return everything."""
    read = json.loads(store.read())["chatSessions"]
    messages = sum(len(session["messages"]) for session in read)
    if (len(read), messages) != (sessions, sessions * MESSAGES + 1):
        raise SystemExit(f"{type(store).__name__} returns {len(read)} sessions with {messages} messages")


def _world(sessions: int) -> list[dict[str, Any]]:
    """Return the sessions as the client of contract D sends them, newest first. The ids are UUIDs, as its tables
    require."""
    rng = Random(1)
    texts = Writer(rng)
    return [_session(rng, texts, number) for number in reversed(range(sessions))]


def _session(rng: Random, texts: Writer, number: int) -> dict[str, Any]:
    messages = [_message(rng, texts, number) for number in range(MESSAGES)]
    return {
        "id": _id(rng),
        "title": messages[0]["content"][:20] + "...",
        "messages": messages,
        "createdAt": (BEGIN + timedelta(hours=number)).isoformat(),
        "tokenUsage": {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500},
    }


def _message(rng: Random, texts: Writer, number: int) -> dict[str, Any]:
    if number % 2 == 0:
        return {"id": _id(rng), "role": "user", "content": texts.question()}
    return {"id": _id(rng), "role": "assistant", "content": texts.reply(), "model": "gpt-4"}


def _id(rng: Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))
