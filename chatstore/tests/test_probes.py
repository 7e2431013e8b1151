"""The probes /livez and /readyz."""

import threading
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from chatstore import health

OK = {"status": "ok"}


@pytest.mark.parametrize("path", ["/livez", "/livez/"])
def test_livez_answers_200(path: str) -> None:
    answer = Client().get(path)
    assert (answer.status_code, answer.json()) == (200, OK)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/readyz", "/readyz/"])
def test_readyz_answers_200_when_the_database_answers(path: str) -> None:
    answer = Client().get(path)
    assert (answer.status_code, answer.json()) == (200, OK | {"database": "ok"})


class FailingConnection:
    """A database connection that fails."""

    def cursor(self) -> None:
        raise OperationalError("the address of the database")

    def close(self) -> None:
        pass


def is_unavailable() -> bool:
    answer = Client().get("/readyz")
    return (answer.status_code, answer.json()) == (503, {"status": "unavailable", "database": "unavailable"})


def test_without_its_database_the_service_is_alive_and_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "connection", FailingConnection())
    assert Client().get("/livez").status_code == 200
    assert is_unavailable()


def test_readyz_does_not_wait_for_a_database_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    monkeypatch.setattr(health, "LIMIT", 0.2)
    monkeypatch.setattr(FailingConnection, "cursor", lambda self: answered.wait(30))
    monkeypatch.setattr(health, "connection", FailingConnection())
    try:
        assert [is_unavailable() for _ in range(5)] == [True] * 5
        assert sum(thread.name.startswith("health") for thread in threading.enumerate()) == 1
    finally:
        answered.set()


@pytest.mark.django_db
def test_with_a_read_only_database_the_service_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    class ReadOnly(FailingConnection):
        def cursor(self) -> Any:
            cursor = connection.cursor()
            cursor.execute("SET default_transaction_read_only = on")
            return cursor

        def close(self) -> None:
            connection.close()

    monkeypatch.setattr(health, "connection", ReadOnly())
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable", "database": "read-only"})


@pytest.mark.django_db
def test_the_probes_accept_any_host_and_plain_http(settings: pytest.FixtureRequest) -> None:
    settings.SECURE_SSL_REDIRECT = True  # type: ignore[attr-defined]
    for path in ("/livez", "/readyz"):
        assert Client(SERVER_NAME="10.0.0.7").get(path).status_code == 200


@pytest.mark.django_db
def test_the_welcome_page_leads_strangers_to_the_sign_in() -> None:
    page = Client().get("/")
    assert page.status_code == 200
    for path in ("/accounts/login/", "/accounts/signup/", "/admin/", "/api/docs/", "/api/schema/"):
        assert f'href="{path}"' in page.text
