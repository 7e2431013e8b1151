"""chatstore's own SQL: each request is made once, in this process, and what reaches the database is written down.
So the floor runs what chatstore runs, and cannot drift from it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

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
        """Each parameter of a statement without names, with the column that it is for."""
        if self.sql.startswith("INSERT"):
            names = re.findall(r'"(\w+)"', self.sql[self.sql.index("(") : self.sql.index(")")])
        else:
            names = NAMED.findall(self.sql)
        return list(zip(names, self.params, strict=True))

    def bind(self, **given: Any) -> tuple[str, Any]:
        """The parameters as recorded, but for the names or columns that are given."""
        if isinstance(self.params, dict):
            return self.sql, self.params | given
        return self.sql, [given.get(name, param) for name, param in self._by_column]


def statements(request: Callable[[], Any]) -> list[Statement]:
    found: list[Statement] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        found.append(Statement(sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        answer = request()
    assert 200 <= answer.status_code < 300, answer.content
    return found


@dataclass(frozen=True)
class Recorded:
    token: Statement
    listed: Statement
    page: Statement
    lock: Statement
    insert: Statement
    update: Statement
    search: dict[str, list[Statement]]  # by word: which stages there are depends on what is found


def record() -> Recorded:
    client = Client(SERVER_NAME="localhost", headers={"Authorization": f"Bearer {TENTH}"})
    url = "/api/v1/conversations/"
    newest = client.get(url).json()["results"][0]["id"]  # and this notes the token's use, which happens hourly
    messages = f"{url}{newest}/messages/"
    token, listed = statements(lambda: client.get(url))
    _, page = statements(lambda: client.get(messages))
    sent = {"role": "user", "content": "Hello"}
    _, lock, insert, update = statements(lambda: client.post(messages, sent, content_type="application/json"))
    searches = {word: searched(client, word) for word in chain(*WORDS.values())}
    connection.close()
    return Recorded(token, listed, page, lock, insert, update, searches)


def searched(client: Client, word: str) -> list[Statement]:
    _, *stages = statements(lambda: client.get("/api/v1/search/", {"q": word}))
    return stages
