"""Processes and folders for tests that start servers."""

import os
import pwd
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from chatstore import embedded
from chatstore.env import BASE_DIR

TIMEOUT = 30  # seconds


@contextmanager
def folder() -> Iterator[Path]:
    """Create a temporary folder that every user can enter."""
    # If root runs the tests, the user that PostgreSQL runs as cannot enter pytest's tmp_path. The space in the name is
    # intended: paths with spaces must work.
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="chatstore test ") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def as_user(user: pwd.struct_passwd) -> dict[str, Any]:
    """Return options of subprocess that run a program as this user. Skip the test if the user cannot read the code."""
    options: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    try:
        subprocess.run([sys.executable, "-c", "import chatstore, django"], cwd=BASE_DIR, check=True, **options)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"{user.pw_name} cannot run {sys.executable} in {BASE_DIR}")
    return options


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, "the condition did not become true"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def python(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    """Start a Python process in its own process group, as a shell in a terminal does."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
        **{"cwd": BASE_DIR, **options},
    )


def manage(data_dir: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command of manage.py to its end."""
    process = python("manage.py", *arguments, env=environment(data_dir, **variables))
    output, errors = process.communicate()
    return subprocess.CompletedProcess(arguments, process.returncode, output, errors)


def connect(data_dir: Path, **options: Any) -> psycopg.Connection[Any]:
    """Connect to the running embedded server of this folder."""
    address = embedded.address(data_dir)
    parameters = {"host": address["HOST"], "port": address["PORT"], "user": address["USER"], "dbname": address["NAME"]}
    return psycopg.connect(**parameters | options)


def environment(data_dir: Path, **variables: str) -> dict[str, str]:
    """Return the environment without the developer's settings. An empty value also hides a value in an .env file."""
    settings = (
        "DATABASE_URL",
        "CACHE_URL",
        "SECRET_KEY",
        "HOST",
        "PORT",
        "DB_POOL_SIZE",
        "DB_STATEMENT_TIMEOUT",
        "ALLOWED_HOSTS",
        "ADMIN_PASSWORD",
        "DEBUG",
        "HTTPS",
        "PROXIES",
        "SINGLE_USER",
        "CORS_ALLOWED_ORIGINS",
    )
    hidden = dict.fromkeys(settings, "") | {"ADMIN_EMAIL": "admin@localhost", "DATA_DIR": str(data_dir)}
    return os.environ | hidden | variables


def has_exited(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
