"""`make install` and `make check-web`, with a fake Python in the virtualenv and fake commands of Node.js."""

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
INSTALLS_PACKAGES = "Installing web/package-lock.json into web/node_modules\n"
NOT_CHECKED = "web/ is not checked, because Node.js 20.19 or later is not installed.\n"
NPM = """#!/bin/sh
echo "npm $@"
[ "$1" != ci ] || mkdir -p node_modules
[ "$*" != "$NPM_FAILS" ]
"""
COPIED = "Makefile requirements.txt requirements-dev.txt benchmarks/requirements.txt web/package-lock.json".split()


@pytest.fixture
def clone() -> Iterator[Path]:
    with scratch.folder() as folder:
        for name in COPIED:
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copy(BASE_DIR / name, folder / name)
        write_command(folder / ".venv" / "bin" / "python", PYTHON)
        write_command(folder / "commands" / "npm", NPM)
        write_command(folder / "commands" / "node", "#!/bin/sh\nexit ${NODE_IS_OLD:-0}\n")
        yield folder


def write_command(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script)
    path.chmod(0o755)


def install(clone: Path, **environment: str) -> tuple[int, str]:
    return run_make(clone, "install", **environment)


def check_web(clone: Path, **environment: str) -> tuple[int, str]:
    return run_make(clone, "check-web", PATH=f"{clone / 'commands'}:{os.environ['PATH']}", **environment)


def run_make(clone: Path, target: str, **environment: str) -> tuple[int, str]:
    completed = subprocess.run(
        ["make", target],
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


def test_the_web_app_is_checked_and_compared_with_its_build(clone: Path) -> None:
    checks = "npm run --silent check\nnpm run --silent compare\n"
    installs = f"{INSTALLS_PACKAGES}npm ci --no-audit --no-fund --loglevel=error\n"
    assert check_web(clone) == (0, installs + checks)
    assert check_web(clone) == (0, checks)


@pytest.mark.parametrize("failing", ["check", "compare"])
def test_a_failed_check_of_the_web_app_fails_the_command(failing: str, clone: Path) -> None:
    status, output = check_web(clone, NPM_FAILS=f"run --silent {failing}")
    assert status == 2
    assert "Error 1" in output


def test_the_web_app_is_not_checked_where_node_is_too_old(clone: Path) -> None:
    assert check_web(clone, NODE_IS_OLD="1") == (0, NOT_CHECKED)


def test_the_web_app_is_not_checked_where_node_is_missing(clone: Path) -> None:
    (clone / "commands" / "node").unlink()
    for name in ("make", "sh", "cat", "cksum", "env"):
        (clone / "commands" / name).symlink_to(str(shutil.which(name)))
    assert run_make(clone, "check-web", PATH=str(clone / "commands")) == (0, NOT_CHECKED)


def test_the_tests_begin_with_the_checks_of_the_web_app() -> None:
    assert "\ntest: check check-web\n" in (BASE_DIR / "Makefile").read_text()
