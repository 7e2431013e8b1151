"""A plain WSGI function with a connection pool and orjson. It has no framework and no validation.

It shows how fast a server with the same SQL can be at most on this machine.
"""

import hashlib
import os
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIEnvironment

import django
import orjson
import psycopg
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatstore.settings")
django.setup()

from chatstore.ids import new_id  # noqa: E402

from .recorded import record  # noqa: E402

SQL = record()
Connection = psycopg.Connection[dict[str, Any]]
JSON = [("Content-Type", "application/json")]
THREADS = int(os.environ.get("WEB_THREADS", "4"))
MESSAGES = re.compile("/api/v1/conversations/(.+)/messages/")

pool = ConnectionPool[Connection](
    os.environ["DATABASE_URL"],
    min_size=1,
    max_size=THREADS,
    open=True,
    kwargs={
        "autocommit": True,
        "row_factory": dict_row,
        "prepare_threshold": 0,  # as in chatstore, the first execution of a statement prepares it
    },
)


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    with pool.connection() as connection:
        user_id = find_user(connection, environ)
        status, answer = ("401 Unauthorized", {}) if user_id is None else respond(connection, user_id, environ)
    body = orjson.dumps(answer)
    start_response(status, [*JSON, ("Content-Length", str(len(body)))])
    return [body]


def find_user(connection: Connection, environ: WSGIEnvironment) -> Any:
    secret = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
    token = connection.execute(*SQL.token.bind(digest=hashlib.sha256(secret.encode()).digest())).fetchone()
    return token and token["user_id"]


def respond(connection: Connection, user_id: Any, environ: WSGIEnvironment) -> tuple[str, dict[str, Any]]:
    if environ["PATH_INFO"] == "/api/v1/search/":
        word = parse_qs(environ["QUERY_STRING"])["q"][0]
        with psycopg.ClientCursor(connection) as cursor:  # as in chatstore, a search is not prepared
            return "200 OK", {
                "results": [cursor.execute(stage.sql, stage.params).fetchall() for stage in SQL.search[word]]
            }
    messages = MESSAGES.fullmatch(environ["PATH_INFO"])
    if not messages:
        return "200 OK", rows(connection, 20, SQL.listed.bind(user=user_id))
    if environ["REQUEST_METHOD"] == "GET":
        # The first page: there is none before it.
        page = rows(connection, 100, SQL.page.bind(user=user_id, conversation=messages[1]))
        return "200 OK", page | {"previous": None}
    sent = orjson.loads(environ["wsgi.input"].read())
    return "201 Created", append(connection, user_id, messages[1], sent)


def rows(connection: Connection, limit: int, statement: tuple[str, list[Any]]) -> dict[str, Any]:
    # The statement returns one more row, to show whether there is a next page.
    found = connection.execute(*statement).fetchmany(limit)
    return {"results": [orjson.Fragment(row["json"]) for row in found], "next": None}


def append(connection: Connection, user_id: Any, id: str, sent: dict[str, Any]) -> dict[str, Any]:
    message = {**SQL.message, **sent, "id": new_id()}
    values = {"user": user_id, "conversation": id, "preview": sent["content"][:200]}
    statement = SQL.append.bind(**values, message=orjson.dumps(message).decode())
    row = connection.execute(*statement).fetchone()
    assert row
    times = {"created_at": row["updated_at"], "updated_at": row["updated_at"]}
    # The last column of the row is the tip from before.
    return message | times | {"conversation_id": id, "seq": row["last_seq"], "parent_seq": row["tip_seq"]}
