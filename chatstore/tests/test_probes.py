import pytest
from django.db import OperationalError, connection
from django.test import Client

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


@pytest.mark.django_db
def test_without_its_database_it_lives_and_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OperationalError("the address of the database")

    monkeypatch.setattr(connection, "cursor", refuse)
    assert Client().get("/livez").status_code == 200
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "unavailable", "database": "unavailable"}


@pytest.mark.django_db
def test_a_prober_needs_neither_a_known_name_nor_https(settings: pytest.FixtureRequest) -> None:
    settings.SECURE_SSL_REDIRECT = True  # type: ignore[attr-defined]
    for path in ("/livez", "/readyz"):
        assert Client(SERVER_NAME="10.0.0.7").get(path).status_code == 200


def test_the_first_page_says_that_it_runs() -> None:
    page = Client().get("/")
    assert page.status_code == 200 and "It is running" in page.content.decode()
