"""The settings: the functions that read them, their defaults, and errors that name the setting."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from chatstore import env
from testing.settings import printed_settings, refusal, start

NUMBERS = """PORT WEB_THREADS CLIENT_TIMEOUT CONNECTIONS_LIMIT STREAMS_LIMIT BODIES_LIMIT
    DB_POOL_SIZE DB_STATEMENT_TIMEOUT BODY_LIMIT CONTENT_LIMIT MESSAGES_LIMIT HISTORY_LIMIT
    HISTORY_BODY_LIMIT PARTS_LIMIT METADATA_LIMIT LABELS_LIMIT JSON_DEPTH_LIMIT KEEP_CONVERSATIONS PROVIDER_TIMEOUT
    REPLY_TIMEOUT REPLIES_AT_ONCE REPLIES_PER_USER REPLIES_IN_ALL TOKENS_PER_DAY CONTEXT_MESSAGES CONTEXT_TOKENS
    TRASH_DAYS RETENTION_DAYS AUDIT_RETENTION_DAYS API_RATE ACT_AS_RATE TOKEN_RATE PROXIES""".split()
FLAGS = ["ADMIN_REQUIRE_REASON", "DB_PREPARED_STATEMENTS", "DEBUG", "HTTPS", "REQUIRE_STAFF_MFA", "SHOW_AUDIT_TO_USERS"]
CHOICES = ["LOG_LEVEL", "LOG_FORMAT"]
SECRET = "a secret that is long enough to be one, and then some more"


def test_this_module_lists_every_number_flag_and_choice_of_the_settings() -> None:
    text = (env.BASE_DIR / "chatstore" / "settings.py").read_text()
    assert set(NUMBERS) | {"HSTS_SECONDS"} == set(re.findall(r'env\.number\(\s*"(\w+)"', text))
    assert set(FLAGS) == set(re.findall(r'env\.flag\(\s*"(\w+)"', text))
    assert set(CHOICES) == set(re.findall(r'env\.choice\(\s*"(\w+)"', text))


# --- The readers of chatstore.env -------------------------------------------------------------------------------------


@pytest.fixture
def set_variable(monkeypatch: pytest.MonkeyPatch) -> Any:
    def set_to(value: str | None) -> None:
        if value is None:
            monkeypatch.delenv("SETTING", raising=False)
        else:
            monkeypatch.setenv("SETTING", value)

    return set_to


@pytest.mark.parametrize(("raw", "value"), [(None, 7), ("", 7), ("  ", 7), ("0", 0), (" 12 ", 12), ("1_000", 1_000)])
def test_a_number_is_read(raw: str | None, value: int, set_variable: Any) -> None:
    set_variable(raw)
    assert env.number("SETTING", 7) == value


@pytest.mark.parametrize("raw", ["x", "1.5", "1e3", "0x10", "-1", "4MB", "99999999999", "seven"])
def test_a_value_that_is_not_a_number_or_out_of_range_is_refused(raw: str, set_variable: Any) -> None:
    set_variable(raw)
    with pytest.raises(ImproperlyConfigured, match="SETTING must be"):
        env.number("SETTING", 7)


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
def test_a_flag_is_read(raw: str | None, value: bool, set_variable: Any) -> None:
    set_variable(raw)
    assert env.flag("SETTING", True) is value


@pytest.mark.parametrize("raw", ["maybe", "2", "y", "tru", "None"])
def test_a_value_that_is_not_a_flag_is_refused(raw: str, set_variable: Any) -> None:
    set_variable(raw)
    with pytest.raises(ImproperlyConfigured, match="SETTING must be true or false"):
        env.flag("SETTING")


@pytest.mark.parametrize(
    ("raw", "value"), [(None, ["d"]), ("", ["d"]), (" , ", ["d"]), ("a", ["a"]), (" a, b ,,", ["a", "b"])]
)
def test_a_list_of_names_is_read(raw: str | None, value: list[str], set_variable: Any) -> None:
    set_variable(raw)
    assert env.names("SETTING", ("d",)) == value


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (None, {}),
        ("support=365, draft=30", {"support": 365, "draft": 30}),
        ("a=b=1,", {"a=b": 1}),
        ("for ever = 0", {"for ever": 0}),
    ],
)
def test_numbers_with_names_are_read(raw: str | None, value: dict[str, int], set_variable: Any) -> None:
    set_variable(raw)
    assert env.numbers("SETTING", high=500) == value


@pytest.mark.parametrize("raw", ["support", "=3", "support=", "support=-1", "support=1.5", "support=501", "a=1 b=2 x"])
def test_numbers_without_a_name_or_out_of_range_are_refused(raw: str, set_variable: Any) -> None:
    set_variable(raw)
    with pytest.raises(ImproperlyConfigured, match="SETTING must be like"):
        env.numbers("SETTING", high=500)


def test_a_choice_is_read_and_another_value_is_refused(set_variable: Any) -> None:
    set_variable("b")
    assert env.choice("SETTING", "a", ("a", "b")) == "b"
    set_variable("c")
    with pytest.raises(ImproperlyConfigured, match="SETTING must be one of a, b, not 'c'"):
        env.choice("SETTING", "a", ("a", "b"))


def test_a_secret_can_be_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("from the file\n")
    monkeypatch.setenv("SETTING", "from the environment")
    monkeypatch.setenv("SETTING_FILE", str(tmp_path / "secret"))
    assert env.text("SETTING") == "from the file"


def test_the_error_about_a_missing_file_names_the_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISSING_SETTING_FILE", str(tmp_path / "missing"))
    with pytest.raises(ImproperlyConfigured, match="MISSING_SETTING_FILE cannot be read: No such file"):
        env.text("MISSING_SETTING")


# --- The settings -------------------------------------------------------------------------------------


def test_an_invalid_value_prevents_the_start_and_the_error_names_the_setting(tmp_path: Path) -> None:
    names = [*NUMBERS, *FLAGS, *CHOICES]
    code = f"""
import os, subprocess, sys
for name in {names!r}:
    os.environ[name] = "junk"
    for module in [module for module in sys.modules if module.startswith("chatstore")]: del sys.modules[module]
    try:
        from chatstore import settings
    except Exception as error:
        print(type(error).__name__, error)
    del os.environ[name]
"""
    output, error = start(code, tmp_path)
    lines = output.splitlines()
    assert [line.split()[:2] for line in lines] == [["ImproperlyConfigured", name] for name in names], error
    assert all("'junk'" in line for line in lines)


def test_on_loopback_everything_has_a_default(tmp_path: Path) -> None:
    first = printed_settings(tmp_path, "SECRET_KEY", "ALLOWED_HOSTS", "LOCAL", "HTTPS", "DEBUG")
    assert len(first[0]) >= 50
    assert first[1:] == ["['localhost', '127.0.0.1', '[::1]']", "True", "False", "False"]
    assert printed_settings(tmp_path, "SECRET_KEY")[0] == first[0], "the key must be created only once"
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "variables", [{"DATABASE_URL": "postgresql://a:b@c/d"}, {"HOST": "0.0.0.0", "ALLOWED_HOSTS": "x"}]
)
def test_in_production_a_secret_key_is_required(variables: dict[str, str], tmp_path: Path) -> None:
    assert refusal(tmp_path, **variables).startswith("SECRET_KEY (or SECRET_KEY_FILE) is needed")
    printed_settings(tmp_path, **variables, SECRET_KEY=SECRET)
    assert not (tmp_path / "secret_key").exists()


def test_in_production_allowed_hosts_are_required_and_https_is_on(tmp_path: Path) -> None:
    assert refusal(tmp_path, HOST="0.0.0.0", SECRET_KEY=SECRET).startswith("ALLOWED_HOSTS is needed")
    names = ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS", "DEBUG")
    printed = printed_settings(tmp_path, *names, HOST="0.0.0.0", SECRET_KEY=SECRET, ALLOWED_HOSTS="chat.example")
    assert printed == ["True", "True", "True", "31536000", "False"]


def test_the_cache_is_in_the_database_or_in_redis(tmp_path: Path) -> None:
    assert "DatabaseCache" in printed_settings(tmp_path, "CACHES")[0]
    redis = printed_settings(tmp_path, "CACHES", CACHE_URL="redis://:secret@cache.example:6379/0")[0]
    assert "RedisCache" in redis and "'redis://:secret@cache.example:6379/0'" in redis
    assert "redis://" in refusal(tmp_path, CACHE_URL="memcached://cache.example")


def test_with_https_the_default_is_one_proxy(tmp_path: Path) -> None:
    assert printed_settings(tmp_path, "PROXIES") == ["0"]
    assert printed_settings(tmp_path, "PROXIES", HTTPS="true") == ["1"]
    assert "'NUM_PROXIES': 2" in printed_settings(tmp_path, "REST_FRAMEWORK", HTTPS="true", PROXIES="2")[0]


def test_an_identity_provider_is_enabled_by_its_client_id(tmp_path: Path) -> None:
    assert printed_settings(tmp_path, "SOCIALACCOUNT_PROVIDERS") == ["{}"]
    google = printed_settings(
        tmp_path, "SOCIALACCOUNT_PROVIDERS", GOOGLE_CLIENT_ID="an id", GOOGLE_CLIENT_SECRET="a secret"
    )[0]
    assert "'google'" in google and "'an id'" in google and "'github'" not in google
    assert refusal(tmp_path, OIDC_CLIENT_ID="an id").startswith("OIDC_CLIENT_ID needs an OIDC_SERVER_URL")


def test_without_a_mail_server_mails_are_printed_to_the_console(tmp_path: Path) -> None:
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
