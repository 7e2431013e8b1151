"""Measure writes of many messages: the command `loadconversations`, and a POST of 1,000 messages."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle, islice
from random import Random

import psycopg

from . import table, workload
from .fill import Size
from .processes import ROOT
from .servers import ENVIRONMENT, serving
from .table import Line
from .text import Writer
from .users import add_user
from .wrk import Measured, Target

CONVERSATIONS, LENGTH = 1_000, 40  # messages in each
LOAD_AT_LEAST = 5_000  # messages a second
POST_AT_MOST = 200  # ms


def lines(database_url: str, size: Size) -> Iterator[Line]:
    yield _load(database_url)
    yield _posts(database_url, size)


def _load(database_url: str) -> Line:
    """Measure the whole command, with its start."""
    print("loadconversations …", file=sys.stderr, flush=True)
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(_conversations())
        file.flush()
        command = ["manage.py", "loadconversations", file.name, "--user=loader@example.org", "--create-user"]
        environment = os.environ | ENVIRONMENT | {"DATABASE_URL": database_url}
        start = time.perf_counter()
        subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=True)
        seconds = time.perf_counter() - start
    name = f"loadconversations, {CONVERSATIONS * LENGTH:,} messages"
    return table.value(name, CONVERSATIONS * LENGTH / seconds, "/s", at_least=LOAD_AT_LEAST)


def _conversations() -> Iterator[str]:
    texts = Writer(Random(1))
    for _ in range(CONVERSATIONS):
        writers = islice(cycle({"user": texts.question, "assistant": texts.reply}.items()), LENGTH)
        yield json.dumps({"messages": [{"role": role, "content": write()} for role, write in writers]}) + "\n"


def _posts(database_url: str, size: Size) -> Line:
    print("POST of 1,000 messages …", file=sys.stderr, flush=True)
    with psycopg.connect(database_url, autocommit=True) as connection:
        _, token = add_user(connection, "bulk")
    with serving("chatstore", database_url) as url:
        targets = [Target(url, [request], token) for request in workload.bulk_write(size)]
        Target(url, targets[0].requests, token).fetch()  # the first request of a worker can take longer
        measured = Measured.median([_seconds(target) for target in targets])
    return table.latency("POST of 1,000 messages", measured, POST_AT_MOST)


def _seconds(target: Target) -> Measured:
    start = time.perf_counter()
    target.fetch()
    return Measured.of_one(time.perf_counter() - start)
