"""The requests for each kind of server. All servers get the same requests, in the form of their own API.

Only chatstore and the floor get searches. Only chatstore and the chats server get requests of contract C."""

import json
from itertools import chain, cycle, islice
from random import Random
from typing import Any, TypeVar
from urllib.parse import quote

from . import databases
from .fill import Size
from .text import WORDS, Writer
from .wrk import Request

FULL_PAGE = 100
CONTRACT_PAGE = 50
APPENDS = 2_000  # different requests, repeated in turn

Id = TypeVar("Id")
Workload = dict[str, list[Request]]  # by measurement


def of(kind: str, size: Size) -> Workload:
    if kind == "chats":
        return contract_c(size, "chat_id")
    return native(kind, size) | contract_c(size, "conversation_id")


def native(kind: str, size: Size) -> Workload:
    conversations = _conversations(size, at_least=0)[:200]
    long = _conversations(size, at_least=FULL_PAGE)[:50]
    appends = _appends(size, conversations)
    if kind == "reference":
        return {
            "list of 20": [Request("/api/chats/?page=1&page_size=20")],
            "page of 100": [Request(f"/api/messages/chat/{id}?page=1&page_size=100") for id in long],
            "append": [_post(f"/api/messages/chat/{id}", message) for id, message in appends],
        }
    return {
        "list of 20": [Request("/api/v1/conversations/?limit=20")],
        "page of 100": [Request(f"/api/v1/conversations/{id}/messages/?limit=100") for id in long],
        "append": [_post(f"/api/v1/conversations/{id}/messages/", message) for id, message in appends],
        "search": [search(word) for word in chain(*WORDS.values())],
    }


def contract_c(size: Size, id: str) -> Workload:
    """Return the requests of contract C. `id` is the column of chats.copied with the ids that the server knows."""
    chats = _chats(size, id, at_least=0)[:200]
    long = _chats(size, id, at_least=CONTRACT_PAGE)[:50]
    return {
        "C list of 20": [Request("/api/chats/?page=1&page_size=20")],
        "C page of 50": [Request(f"/api/messages/chat/{chat}?page=1&page_size=50") for chat in long],
        "C append": [_post("/api/messages/", {"chat_id": chat, **message}) for chat, message in _appends(size, chats)],
    }


def bulk_write(size: Size) -> list[Request]:
    """Return requests that write 5,000 messages."""
    texts = Writer(Random(size.seed))
    messages = [[{"role": "user", "content": texts.reply()} for _ in range(1_000)] for _ in range(5)]
    return [_post("/api/v1/conversations/", {"messages": batch}) for batch in messages]


def search(word: str) -> Request:
    return Request(f"/api/v1/search/?q={quote(word)}")


def _appends(size: Size, ids: list[Id]) -> list[tuple[Id, dict[str, str]]]:
    texts = Writer(Random(size.seed))
    return [(id, {"role": "user", "content": texts.question()}) for id in islice(cycle(ids), APPENDS)]


def _post(path: str, body: dict[str, Any]) -> Request:
    return Request(path, json.dumps(body).encode())


def _conversations(size: Size, *, at_least: int) -> list[str]:
    """Return ids of conversations of the user who has a tenth of all messages, newest first."""
    query = """SELECT c.id::text FROM conversation c JOIN api_token t ON t.user_id = c.user_id AND t.name = 'tenth'
        WHERE deleted_at IS NULL AND message_count >= %s ORDER BY active_at DESC"""
    with databases.connect(size.name) as connection:
        return [id for (id,) in connection.execute(query, [at_least])]


def _chats(size: Size, id: str, *, at_least: int) -> list[Any]:
    """Return ids of chats of the same user, newest first. `id` is a column of chats.copied."""
    query = f"""SELECT {id} FROM chats.copied JOIN chats.messages USING (chat_id)
        GROUP BY chat_id, conversation_id HAVING count(*) >= %s ORDER BY chat_id DESC"""
    with databases.connect(size.name) as connection:
        return [id if isinstance(id, int) else str(id) for (id,) in connection.execute(query, [at_least])]
