"""Record the SQL of chatstore, so that the floor runs the same statements.

Each request runs once in this process, through Django's test client.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import orjson
from django.db import connection
from django.test import Client

from benchmarks.fill import TENTH
from benchmarks.text import WORDS

NAMED = re.compile(r'(\w+)"? = %s')


@dataclass(frozen=True)
class Statement:
    sql: str
    params: Any

    @cached_property
    def _by_column(self) -> list[tuple[str, Any]]:
        """Return the column name and the value of each positional parameter."""
        return list(zip(NAMED.findall(self.sql), self.params, strict=True))

    def bind(self, **given: Any) -> tuple[str, Any]:
        """Return the statement and its parameters. The given values replace the recorded ones."""
        if isinstance(self.params, dict):
            return self.sql, self.params | given
        return self.sql, [given.get(name, param) for name, param in self._by_column]


def record_statements(request: Callable[[], Any]) -> list[Statement]:
    recorded: list[Statement] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        recorded.append(Statement(sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        answer = request()
    assert 200 <= answer.status_code < 300, answer.content
    return recorded


@dataclass(frozen=True)
class Recorded:
    token: Statement
    listed: Statement
    page: Statement
    append: Statement
    search: dict[str, list[Statement]]  # by word, because the number of statements depends on the hits

    @cached_property
    def message(self) -> dict[str, Any]:
        """Return all columns of the appended message."""
        return dict(orjson.loads(self.append.params["message"]))


def record() -> Recorded:
    client = Client(SERVER_NAME="localhost", headers={"Authorization": f"Bearer {TENTH}"})
    url = "/api/v1/conversations/"
    newest = client.get(url).json()["results"][0]["id"]  # also records the use of the token, at most once an hour
    messages = f"{url}{newest}/messages/"
    token, listed = record_statements(lambda: client.get(url))
    _, page = record_statements(lambda: client.get(messages))
    sent = {"role": "user", "content": "Hello"}
    # In a conversation with branches, one more statement follows. It looks for alternatives.
    _, append, *_ = record_statements(lambda: client.post(messages, sent, content_type="application/json"))
    searches = {word: record_search(client, word) for word in chain(*WORDS.values())}
    connection.close()
    return Recorded(token, listed, page, append, searches)


def record_search(client: Client, word: str) -> list[Statement]:
    _, *statements = record_statements(lambda: client.get("/api/v1/search/", {"q": word}))
    return [statement for statement in statements if statement.sql.startswith("SELECT")]  # not the time limits
