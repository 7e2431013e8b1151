import threading
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from chatstore import health

OK = {"status": "ok"}


@pytest.mark.parametrize("path", ["/livez", "/livez/"])
def test_a_process_that_answers_lives(path: str) -> None:
    answer = Client().get(path)
    assert (answer.status_code, answer.json()) == (200, OK)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/readyz", "/readyz/"])
def test_it_is_ready_when_its_database_answers(path: str) -> None:
    answer = Client().get(path)
    assert (answer.status_code, answer.json()) == (200, OK | {"database": "ok"})


class Refusing:
    """A database connection that cannot be made."""

    def cursor(self) -> None:
        raise OperationalError("the address of the database")

    def close(self) -> None:
        pass


def unavailable() -> bool:
    answer = Client().get("/readyz")
    return (answer.status_code, answer.json()) == (503, {"status": "unavailable", "database": "unavailable"})


def test_without_its_database_it_lives_and_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "connection", Refusing())
    assert Client().get("/livez").status_code == 200
    assert unavailable()


def test_a_database_that_never_answers_is_not_ready_after_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    monkeypatch.setattr(health, "LIMIT", 0.2)
    monkeypatch.setattr(Refusing, "cursor", lambda self: answered.wait(30))
    monkeypatch.setattr(health, "connection", Refusing())
    try:
        assert [unavailable() for _ in range(5)] == [True] * 5
        assert sum(thread.name.startswith("health") for thread in threading.enumerate()) == 1
    finally:
        answered.set()


@pytest.mark.django_db
def test_a_read_only_database_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    class ReadOnly(Refusing):
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
def test_a_prober_needs_neither_a_known_name_nor_https(settings: pytest.FixtureRequest) -> None:
    settings.SECURE_SSL_REDIRECT = True  # type: ignore[attr-defined]
    for path in ("/livez", "/readyz"):
        assert Client(SERVER_NAME="10.0.0.7").get(path).status_code == 200


def test_the_first_page_says_that_it_runs() -> None:
    page = Client().get("/")
    assert page.status_code == 200 and "It is running" in page.content.decode()
