"""chatstore's WSGI application, with the number of SQL statements of each request in a header.

Only for one request at a time. Statements that run while the body is streamed are not counted.
"""

from collections.abc import Callable, Iterable
from typing import Any

from chatstore.wsgi import application as chatstore
from testing.statements import executed_sql

from .servers import STATEMENTS


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    with executed_sql() as statements:

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [*headers, (STATEMENTS, str(len(statements)))], *rest)

        return chatstore(environ, start)
