"""The requests for each kind of server. All servers get the same requests, in the form of their own API.

Only chatstore and the floor get searches."""

import json
from itertools import chain, cycle, islice
from random import Random
from urllib.parse import quote

from . import databases
from .fill import Size
from .text import WORDS, Writer
from .wrk import Request

FULL_PAGE = 100
APPENDS = 2_000  # different requests, repeated in turn

Workload = dict[str, list[Request]]  # by measurement


def of(kind: str, size: Size) -> Workload:
    conversations = _conversations(size, at_least=0)[:200]
    long = _conversations(size, at_least=FULL_PAGE)[:50]
    texts = Writer(Random(size.seed))
    appends = [(id, {"role": "user", "content": texts.question()}) for id in islice(cycle(conversations), APPENDS)]
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


def search(word: str) -> Request:
    return Request(f"/api/v1/search/?q={quote(word)}")


def _post(path: str, body: dict[str, str]) -> Request:
    return Request(path, json.dumps(body).encode())


def _conversations(size: Size, *, at_least: int) -> list[str]:
    """Return ids of conversations of the user who has a tenth of all messages, newest first."""
    query = """SELECT c.id::text FROM conversation c JOIN api_token t ON t.user_id = c.user_id AND t.name = 'tenth'
        WHERE deleted_at IS NULL AND message_count >= %s ORDER BY active_at DESC"""
    with databases.connect(size.name) as connection:
        return [id for (id,) in connection.execute(query, [at_least])]
