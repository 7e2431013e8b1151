"""Every knob is read once, and junk in one stops the start with one line that names it."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from chatstore import env
from testing.settings import printed_settings, refusal, start

NUMBERS = """PORT WEB_THREADS DB_POOL_SIZE DB_STATEMENT_TIMEOUT BODY_LIMIT CONTENT_LIMIT MESSAGES_LIMIT HISTORY_LIMIT
    HISTORY_BODY_LIMIT PARTS_LIMIT METADATA_LIMIT LABELS_LIMIT JSON_DEPTH_LIMIT KEEP_CONVERSATIONS PROVIDER_TIMEOUT
    TRASH_DAYS API_RATE ACT_AS_RATE TOKEN_RATE PROXIES""".split()
FLAGS = ["DEBUG", "HTTPS", "REQUIRE_STAFF_MFA"]
CHOICES = ["LOG_LEVEL", "LOG_FORMAT"]
SECRET = "a secret that is long enough to be one, and then some more"


def test_all_numbers_of_the_settings_are_tested_here() -> None:
    text = (env.BASE_DIR / "chatstore" / "settings.py").read_text()
    assert set(NUMBERS) | {"HSTS_SECONDS"} == set(re.findall(r'env\.number\(\s*"(\w+)"', text))
    assert set(FLAGS) == set(re.findall(r'env\.flag\(\s*"(\w+)"', text))
    assert set(CHOICES) == set(re.findall(r'env\.choice\(\s*"(\w+)"', text))


# --- The readers --------------------------------------------------------------------------------------


@pytest.fixture
def knob(monkeypatch: pytest.MonkeyPatch) -> Any:
    def set_to(value: str | None) -> None:
        if value is None:
            monkeypatch.delenv("A_KNOB", raising=False)
        else:
            monkeypatch.setenv("A_KNOB", value)

    return set_to


@pytest.mark.parametrize(("raw", "value"), [(None, 7), ("", 7), ("  ", 7), ("0", 0), (" 12 ", 12), ("1_000", 1_000)])
def test_a_number(raw: str | None, value: int, knob: Any) -> None:
    knob(raw)
    assert env.number("A_KNOB", 7) == value


@pytest.mark.parametrize("raw", ["x", "1.5", "1e3", "0x10", "-1", "4MB", "99999999999", "seven"])
def test_a_number_that_is_none_or_out_of_range_is_refused(raw: str, knob: Any) -> None:
    knob(raw)
    with pytest.raises(ImproperlyConfigured, match="A_KNOB must be"):
        env.number("A_KNOB", 7)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (None, True),
        ("", True),
        ("0", False),
        ("no", False),
        ("False", False),
        ("OFF", False),
        ("1", True),
        ("yes", True),
    ],
)
def test_a_flag(raw: str | None, value: bool, knob: Any) -> None:
    knob(raw)
    assert env.flag("A_KNOB", True) is value


@pytest.mark.parametrize("raw", ["maybe", "2", "y", "tru", "None"])
def test_a_flag_that_is_none_is_refused(raw: str, knob: Any) -> None:
    knob(raw)
    with pytest.raises(ImproperlyConfigured, match="A_KNOB must be true or false"):
        env.flag("A_KNOB")


@pytest.mark.parametrize(
    ("raw", "value"), [(None, ["d"]), ("", ["d"]), (" , ", ["d"]), ("a", ["a"]), (" a, b ,,", ["a", "b"])]
)
def test_names(raw: str | None, value: list[str], knob: Any) -> None:
    knob(raw)
    assert env.names("A_KNOB", ("d",)) == value


def test_a_choice(knob: Any) -> None:
    knob("b")
    assert env.choice("A_KNOB", "a", ("a", "b")) == "b"
    knob("c")
    with pytest.raises(ImproperlyConfigured, match="A_KNOB must be one of a, b, not 'c'"):
        env.choice("A_KNOB", "a", ("a", "b"))


def test_a_secret_may_be_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("from the file\n")
    monkeypatch.setenv("A_KNOB", "from the environment")
    monkeypatch.setenv("A_KNOB_FILE", str(tmp_path / "secret"))
    assert env.text("A_KNOB") == "from the file"


def test_a_file_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_LOST_KNOB_FILE", str(tmp_path / "missing"))
    with pytest.raises(ImproperlyConfigured, match="A_LOST_KNOB_FILE cannot be read: No such file"):
        env.text("A_LOST_KNOB")


# --- The settings -------------------------------------------------------------------------------------


def test_junk_in_a_knob_stops_the_start_and_is_named(tmp_path: Path) -> None:
    junk = [*NUMBERS, *FLAGS, *CHOICES]
    code = f"""
import os, subprocess, sys
for name in {junk!r}:
    os.environ[name] = "junk"
    for module in [name for name in sys.modules if name.startswith("chatstore")]: del sys.modules[module]
    try:
        from chatstore import settings
    except Exception as error:
        print(type(error).__name__, error)
    del os.environ[name]
"""
    printed, complaint = start(code, tmp_path)
    lines = printed.splitlines()
    assert [line.split()[:2] for line in lines] == [["ImproperlyConfigured", name] for name in junk], complaint
    assert all("'junk'" in line for line in lines)


def test_on_loopback_everything_has_a_default(tmp_path: Path) -> None:
    first = printed_settings(tmp_path, "SECRET_KEY", "ALLOWED_HOSTS", "LOCAL", "HTTPS", "DEBUG")
    assert len(first[0]) >= 50
    assert first[1:] == ["['localhost', '127.0.0.1', '[::1]']", "True", "False", "False"]
    assert printed_settings(tmp_path, "SECRET_KEY")[0] == first[0], "made once, and kept"
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("knobs", [{"DATABASE_URL": "postgresql://a:b@c/d"}, {"HOST": "0.0.0.0", "ALLOWED_HOSTS": "x"}])
def test_in_production_a_secret_is_needed(knobs: dict[str, str], tmp_path: Path) -> None:
    assert refusal(tmp_path, **knobs).startswith("SECRET_KEY (or SECRET_KEY_FILE) is needed")
    printed_settings(tmp_path, **knobs, SECRET_KEY=SECRET)
    assert not (tmp_path / "secret_key").exists()


def test_in_production_the_hosts_are_needed_and_https_is_on(tmp_path: Path) -> None:
    assert refusal(tmp_path, HOST="0.0.0.0", SECRET_KEY=SECRET).startswith("ALLOWED_HOSTS is needed")
    names = ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS", "DEBUG")
    found = printed_settings(tmp_path, *names, HOST="0.0.0.0", SECRET_KEY=SECRET, ALLOWED_HOSTS="chat.example")
    assert found == ["True", "True", "True", "31536000", "False"]


def test_limits_are_kept_in_the_database_or_in_a_redis(tmp_path: Path) -> None:
    assert "DatabaseCache" in printed_settings(tmp_path, "CACHES")[0]
    redis = printed_settings(tmp_path, "CACHES", CACHE_URL="redis://:secret@cache.example:6379/0")[0]
    assert "RedisCache" in redis and "'redis://:secret@cache.example:6379/0'" in redis
    assert "redis://" in refusal(tmp_path, CACHE_URL="memcached://cache.example")


def test_behind_https_there_is_one_proxy_unless_it_is_said(tmp_path: Path) -> None:
    assert printed_settings(tmp_path, "PROXIES") == ["0"]
    assert printed_settings(tmp_path, "PROXIES", HTTPS="true") == ["1"]
    assert "'NUM_PROXIES': 2" in printed_settings(tmp_path, "REST_FRAMEWORK", HTTPS="true", PROXIES="2")[0]


def test_a_provider_is_there_when_it_has_a_client(tmp_path: Path) -> None:
    assert printed_settings(tmp_path, "SOCIALACCOUNT_PROVIDERS") == ["{}"]
    google = printed_settings(
        tmp_path, "SOCIALACCOUNT_PROVIDERS", GOOGLE_CLIENT_ID="an id", GOOGLE_CLIENT_SECRET="a secret"
    )[0]
    assert "'google'" in google and "'an id'" in google and "'github'" not in google
    assert refusal(tmp_path, OIDC_CLIENT_ID="an id").startswith("OIDC_CLIENT_ID needs an OIDC_SERVER_URL")


def test_mail_goes_to_the_log_until_a_server_is_named(tmp_path: Path) -> None:
    assert printed_settings(tmp_path, "EMAIL_BACKEND") == ["'django.core.mail.backends.console.EmailBackend'"]
    names = ("EMAIL_HOST", "EMAIL_PORT", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD", "EMAIL_USE_TLS")
    url = "smtp+tls://chatstore:p%40ss@mail.example.org:587"
    assert printed_settings(tmp_path, *names, EMAIL_URL=url) == [
        "'mail.example.org'",
        "587",
        "'chatstore'",
        "'p@ss'",
        "True",
    ]
    assert refusal(tmp_path, EMAIL_URL="mail.example.org").startswith("EMAIL_URL must be like smtp+tls://")
