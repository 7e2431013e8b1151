"""The database settings that chatstore computes from DATABASE_URL."""

from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured

from chatstore import database

DATA_DIR = Path("/srv/chatstore")
NETWORK = database.NETWORK


def parsed(url: str, *, pool_size: int = 0, statement_timeout: int = 30_000) -> dict[str, Any]:
    return database.connection_settings(url, DATA_DIR, pool_size=pool_size, statement_timeout=statement_timeout)


def refusal(url: str) -> str:
    with pytest.raises(ImproperlyConfigured) as excinfo:
        parsed(url)
    return str(excinfo.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "PostgreSQL"])
def test_every_common_scheme_of_postgresql_is_accepted(scheme: str) -> None:
    parameters = parsed(f"{scheme}://ann:secret@db.example:6543/chats")
    assert parameters["ENGINE"] == "django.db.backends.postgresql"
    assert (parameters["USER"], parameters["PASSWORD"], parameters["NAME"]) == ("ann", "secret", "chats")
    assert (parameters["HOST"], parameters["PORT"]) == ("db.example", 6543)


@pytest.mark.parametrize("url", ["mysql://ann:x@host/chats", "sqlite:///chats.db", "db.example/chats", "postgres:/x"])
def test_another_scheme_is_refused(url: str) -> None:
    assert "PostgreSQL only" in refusal(url)


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("postgresql://postgres:Shiva@0022@localhost:5432/ChatWithMe", "Shiva%400022"),
        ("postgresql://ann:a/b@host/chats", "a%2Fb"),
        ("postgresql://ann:a?b@host/chats", "a%3Fb"),
        ("postgresql://ann:a#b@host/chats", "a%23b"),
        ("postgresql://ann:a@b/c?d#50%@host/chats?sslmode=require", "a%40b%2Fc%3Fd%2350%25"),
        ("postgresql://ann:@@host/chats", "%40"),
    ],
)
def test_the_error_about_a_raw_password_shows_its_percent_encoded_form(url: str, written: str) -> None:
    assert refusal(url) == f"The password in DATABASE_URL has to be percent-encoded: write {written}."


@pytest.mark.parametrize("url", ["postgresql://ann:secret@host?x=a@b", "postgresql://ann:secret@host/chats?x=a@b#c"])
def test_an_at_sign_in_the_options_of_an_invalid_url_is_not_reported_as_part_of_the_password(url: str) -> None:
    assert refusal(url) == "DATABASE_URL must look like postgresql://user:password@host:5432/name."


def test_the_encoded_password_in_an_error_ends_before_the_options() -> None:
    assert "write a%40b." in refusal("postgresql://ann:a@b@host/chats?x=c@d")


def test_an_encoded_password_is_decoded() -> None:
    assert parsed("postgresql://postgres:Shiva%400022@localhost:5432/ChatWithMe")["PASSWORD"] == "Shiva@0022"


def test_an_at_sign_after_the_database_name_is_not_part_of_the_password() -> None:
    parameters = parsed("postgresql://ann:secret@host/chats?application_name=chats@home")
    assert parameters["PASSWORD"] == "secret"
    assert parameters["OPTIONS"]["application_name"] == "chats@home"


@pytest.mark.parametrize(
    "url", ["postgres://host", "postgres://host/", "postgres://host:port/chats", "postgres://h/a#b"]
)
def test_a_malformed_url_is_refused(url: str) -> None:
    assert "must look like postgresql://user:password@host:5432/name" in refusal(url)


def test_the_error_about_an_invalid_port_does_not_contain_the_password() -> None:
    assert "secret" not in refusal("postgres://ann:secret@host:port/chats")


def test_options_of_the_url_are_passed_on() -> None:
    options = parsed("postgres://host/chats?sslmode=verify-full&sslrootcert=/etc/ca.pem&connect_timeout=9")["OPTIONS"]
    assert options == NETWORK | {"sslmode": "verify-full", "sslrootcert": "/etc/ca.pem", "connect_timeout": 9}


def test_network_timeouts_are_a_few_seconds_unless_the_url_sets_others() -> None:
    assert parsed("postgres://host/chats")["OPTIONS"].items() >= NETWORK.items()
    options = parsed("postgres://host/chats?tcp_user_timeout=90000&keepalives_idle=60")["OPTIONS"]
    assert options == NETWORK | {"connect_timeout": 5, "tcp_user_timeout": 90_000, "keepalives_idle": 60}


def test_libpq_knows_every_network_option() -> None:
    known = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}
    assert known >= NETWORK.keys()


def test_a_socket_folder_is_passed_on_as_the_option_host() -> None:
    assert parsed("postgresql:///chats?host=/run/postgresql")["OPTIONS"]["host"] == "/run/postgresql"


def test_a_command_gets_one_connection_without_a_pool() -> None:
    assert parsed("postgres://host/chats")["OPTIONS"] == NETWORK | {"connect_timeout": 5}


def test_a_server_gets_a_pool_and_a_statement_timeout() -> None:
    options = parsed("postgres://host/chats", pool_size=4)["OPTIONS"]
    assert options["pool"] == {"min_size": 1, "max_size": 4, "timeout": 2, "reconnect_timeout": 2}
    assert options["options"] == "-c statement_timeout=30000"


def test_the_statement_timeout_is_added_to_the_options_of_the_url() -> None:
    options = parsed("postgres://host/chats?options=-c%20search_path=chats", pool_size=4)["OPTIONS"]
    assert options["options"] == "-c search_path=chats -c statement_timeout=30000"


def test_without_a_statement_timeout_the_startup_parameter_options_is_not_sent() -> None:
    assert "options" not in parsed("postgres://host/chats", pool_size=4, statement_timeout=0)["OPTIONS"]


def test_no_cursor_or_prepared_statement_outlives_a_transaction_behind_pgbouncer() -> None:
    parameters = parsed("postgres://host/chats", pool_size=4)
    assert parameters["DISABLE_SERVER_SIDE_CURSORS"]
    assert "prepare_threshold" not in parameters["OPTIONS"]


def test_without_a_url_the_address_is_the_embedded_servers_socket() -> None:
    parameters = parsed("")
    assert (parameters["NAME"], parameters["USER"], parameters["HOST"]) == (
        "chatstore",
        "chatstore",
        "/srv/chatstore/socket",
    )
    assert parameters["OPTIONS"] == {"connect_timeout": 5}  # not NETWORK: a socket needs no network timeouts
    assert not DATA_DIR.exists()
