"""`make install`, with a fake Python in the virtualenv."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatstore.env import BASE_DIR
from testing import scratch

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="needs make")
PYTHON = """#!/bin/sh
echo "$@" >> calls
echo "Collecting everything"
echo "[notice] A new release of pip is available" >&2
exit ${PIP_STATUS:-0}
"""
INSTALLS = "Installing requirements.txt into .venv\n"


@pytest.fixture
def clone() -> Iterator[Path]:
    with scratch.folder() as folder:
        for name in ("Makefile", "requirements.txt", "requirements-dev.txt", "benchmarks/requirements.txt"):
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copy(BASE_DIR / name, folder / name)
        python = folder / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(PYTHON)
        python.chmod(0o755)
        yield folder


def install(clone: Path, **environment: str) -> tuple[int, str]:
    completed = subprocess.run(
        ["make", "install"],
        cwd=clone,
        env={name: value for name, value in os.environ.items() if "MAKE" not in name} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return completed.returncode, completed.stdout


def call_count(clone: Path) -> int:
    return len((clone / "calls").read_text().splitlines())


def test_the_first_run_installs_and_prints_one_line_and_the_second_does_not_install(clone: Path) -> None:
    assert install(clone) == (0, INSTALLS)
    status, output = install(clone)
    assert status == 0
    assert "Installing" not in output
    assert call_count(clone) == 1


def test_the_output_of_pip_is_shown_when_it_fails_and_the_next_run_tries_again(clone: Path) -> None:
    status, output = install(clone, PIP_STATUS="3")
    assert status == 2
    assert output.startswith(f"{INSTALLS}Collecting everything\n[notice]")
    assert "Error 3" in output
    assert install(clone) == (0, INSTALLS)


def test_requirements_are_installed_after_each_change_even_a_change_back(clone: Path) -> None:
    install(clone)
    before = (clone / "requirements.txt").read_text()
    for text in (f"{before}more\n", before):
        (clone / "requirements.txt").write_text(text)
        assert install(clone) == (0, INSTALLS)


@pytest.mark.parametrize("days", [-20_000, 400])
def test_the_modification_time_of_the_requirements_does_not_matter(clone: Path, days: int) -> None:
    then = time.time() + days * 86_400
    os.utime(clone / "requirements.txt", (then, then))
    assert install(clone) == (0, INSTALLS)
    status, output = install(clone)
    assert (status, call_count(clone)) == (0, 1)
    assert "skew" not in output
