"""Measure a PUT of contract A that sends a whole history again, with one more message.

Run as a program, this module sends the requests in its own process, without HTTP. The time of a request is that from
the call of chatstore's WSGI application to the end of its answer. So it has all that chatstore does, with the
middleware, the sign-in and the statements, but not the work of gunicorn and of the network.
"""

import io
import json
import os
import subprocess
import sys
import time
from itertools import cycle, islice
from random import Random
from typing import Any
from wsgiref.util import setup_testing_defaults

from .processes import ROOT
from .servers import ENVIRONMENT
from .text import Writer
from .wrk import Measured

SESSIONS = "/api/chat/sessions"
MESSAGES = 1_000
SAVES = 20
WARM_UP = 3  # of these saves, which do not count


def measure(database_url: str, token: str) -> Measured:
    """Run this module as a program, as the user with this token."""
    command = [sys.executable, "-m", "benchmarks.contract_a", token]
    environment = os.environ | ENVIRONMENT | {"DATABASE_URL": database_url}
    ran = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    return Measured.median([Measured.of_one(seconds) for seconds in json.loads(ran.stdout)])


def main() -> None:
    token, history = sys.argv[1], _history(MESSAGES + SAVES)
    created, _ = _send("POST", SESSIONS, token, history[:MESSAGES])
    times = []
    for length in range(MESSAGES + 1, MESSAGES + SAVES + 1):
        session, seconds = _send("PUT", f"{SESSIONS}/{created['id']}", token, history[:length])
        assert session["messageCount"] == length, session
        times.append(seconds)
    print(json.dumps(times[WARM_UP:]))


def _history(length: int) -> list[dict[str, str]]:
    texts = Writer(Random(1))
    write = {"user": texts.question, "assistant": texts.reply}
    return [{"role": role, "content": write[role]()} for role in islice(cycle(write), length)]


def _send(method: str, path: str, token: str, messages: list[Any]) -> tuple[Any, float]:
    """Return the answer, and the seconds that it took."""
    from chatstore.wsgi import application  # only in the program: it changes the settings to those of a web server

    environ = _environ(method, path, token, json.dumps({"messages": messages}).encode())
    statuses: list[str] = []
    start = time.perf_counter()
    answer = application(environ, lambda status, headers: statuses.append(status))
    body = b"".join(answer)
    answer.close()
    seconds = time.perf_counter() - start
    assert statuses[0].startswith("20"), (statuses, body)
    return json.loads(body), seconds


def _environ(method: str, path: str, token: str, body: bytes) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "HTTP_HOST": "localhost",
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    setup_testing_defaults(environ)
    return environ


if __name__ == "__main__":
    main()
