"""Generators of replies for tests, on committed data: the tests need django_db(transaction=True) or `live`.

`generator` runs in a thread of the test process during the tests of a module, which can override settings.MODELS.
`running` is one of the test's own, with its own pace. `process` is `manage.py replies` on the test database.
"""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from chatstore.env import BASE_DIR
from replies.generator import Generator, Pace

from . import scratch
from .live_server import NO_MODELS

QUICK = Pace(flush=0.02, poll=0.2, dead_after=0.8, retry=0.1)


class Thread:
    """A generator in a thread."""

    def __init__(self, pace: Pace) -> None:
        self.generator = Generator(pace=pace)
        self.thread = threading.Thread(target=self._run, name="generator")

    def _run(self) -> None:
        asyncio.run(self.generator.run())

    def start(self) -> None:
        self.thread.start()
        scratch.wait_until(lambda: hasattr(self.generator, "_loop"))

    def stop(self) -> None:
        """Stop as SIGTERM does."""
        self.generator.stop()
        self.thread.join(scratch.TIMEOUT)
        assert not self.thread.is_alive()


@contextmanager
def running(pace: Pace = QUICK) -> Iterator[Generator]:
    """Run a generator in a thread during the block."""
    thread = Thread(pace)
    thread.start()
    try:
        yield thread.generator
    finally:
        thread.stop()


@pytest.fixture(scope="module")
def generator_thread(django_db_setup: None, django_db_blocker: Any) -> Iterator[Generator]:
    with django_db_blocker.unblock(), running() as generator:
        yield generator


@pytest.fixture
def generator(transactional_db: None, generator_thread: Generator) -> Generator:
    return generator_thread


SCRIPTED = {
    "DJANGO_SETTINGS_MODULE": "testing.scripted_settings",
    "MODELS": json.dumps({"scripted": {"kind": "scripted", "model": "any"}}),
}


@contextmanager
def process(*arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """Run `manage.py replies` with the model `scripted` on the test database during the block.

    The variables are added to its environment. The process is killed at the end, if it has not ended.
    """
    database = {"LIVE_DATABASE": str(connection.settings_dict["NAME"])}
    child = subprocess.Popen(
        [sys.executable, "-m", "testing.live_replies", *arguments],
        env=os.environ | NO_MODELS | SCRIPTED | database | variables,
        cwd=BASE_DIR,
        text=True,
    )
    try:
        yield child
    finally:
        child.kill()
        child.wait(scratch.TIMEOUT)
