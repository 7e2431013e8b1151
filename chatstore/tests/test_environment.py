"""The plugin testing/environment.py, which hides the settings of the person who runs the tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

HOSTILE = {
    "TOKEN_RATE": "0", "API_RATE": "1", "KEEP_CONVERSATIONS": "1", "TRASH_DAYS": "0", "CONTENT_LIMIT": "5",
    "MESSAGES_LIMIT": "1", "HTTPS": "true", "PROXIES": "3", "REQUIRE_STAFF_MFA": "true", "OPENAI_API_KEY": "x",
    "ALLOWED_HOSTS": "elsewhere.example", "DB_STATEMENT_TIMEOUT": "1", "LOG_LEVEL": "junk",
}  # fmt: skip


@pytest.fixture
def no_rate() -> None:
    """Override the fixture of the other tests, so that the rates have their defaults."""


def test_settings_have_their_defaults() -> None:
    assert (settings.TOKEN_RATE, settings.KEEP_CONVERSATIONS, settings.TRASH_DAYS) == (20, 0, 30)
    assert (settings.CONTENT_LIMIT, settings.MESSAGES_LIMIT) == (1_000_000, 1_000)
    assert (settings.HTTPS, settings.PROXIES, settings.REQUIRE_STAFF_MFA) == (False, 0, False)
    assert "openai" not in settings.MODELS and "localhost" in settings.ALLOWED_HOSTS


def test_tests_do_not_depend_on_the_environment_variables_of_the_person_who_runs_them(tmp_path: Path) -> None:
    secret = tmp_path / "rate"
    secret.write_text("0")
    command = [sys.executable, "-m", "pytest", f"{__file__}::{test_settings_have_their_defaults.__name__}"]
    environment = os.environ | HOSTILE | {"LABELS_LIMIT_FILE": str(secret)}
    completed = subprocess.run(command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True)
    assert completed.returncode == 0, completed.stdout + completed.stderr
