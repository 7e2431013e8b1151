"""The pages of the web app, their headers and their files. browser/ tests what the app does."""

import gzip
import re
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from accounts.models import Preferences, User
from testing.live_server import Live, live

__all__ = ["live"]
PAGES = ["/app/", "/app/c/an-id", "/app/settings/account"]
SHARED = "/share/a-token/"
HASHED = re.compile(r"/static/app/[\w.-]+-[\w-]{8}\.(?:js|css|woff2)")


@pytest.fixture
def as_alice(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def theme_of(page: Any) -> str:
    return re.findall(r'data-theme="(\w+)"', page.text)[0]


@pytest.mark.parametrize("path", PAGES)
def test_each_address_of_the_app_has_the_page_of_the_app(path: str, as_alice: Client) -> None:
    page = as_alice.get(path)
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert '<div id="app">' in page.text and HASHED.search(page.text)


@pytest.mark.parametrize("path", [*PAGES, "/app/search?q=a%26b"])
def test_the_app_sends_a_visitor_to_the_sign_in_page_and_back(path: str, client: Client, db: None) -> None:
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer.url.startswith("/accounts/login/?next=/app/")  # type: ignore[attr-defined]
    expected = path.replace("?", "%3F").replace("=", "%3D").replace("%26", "%2526")
    assert answer.url.endswith(expected)  # type: ignore[attr-defined]


def test_the_app_is_open_to_everybody_in_single_user_mode(client: Client, db: None, settings: Any) -> None:
    settings.SINGLE_USER = "ada@localhost"
    assert client.get("/app/").status_code == 200


def test_the_start_page_sends_a_user_to_the_app_and_welcomes_a_visitor(as_alice: Client) -> None:
    answer = as_alice.get("/", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/app/")
    as_alice.logout()
    assert as_alice.get("/", headers={"Accept": "text/html"}).status_code == 200


def test_the_start_page_describes_the_service_to_a_client_that_asks_for_json(as_alice: Client) -> None:
    answer = as_alice.get("/", headers={"Accept": "application/json"})
    assert answer.json()["message"] == "chatstore is running."


def test_a_cache_keeps_the_start_page_apart_for_users_and_visitors(as_alice: Client) -> None:
    assert {"Accept", "Cookie"} <= set(as_alice.get("/").headers["Vary"].split(", "))


def test_neither_a_cache_nor_the_back_button_keeps_the_page_of_the_app(as_alice: Client) -> None:
    for path in ("/app/", SHARED):
        assert as_alice.get(path).headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("path", ["/app/", SHARED])
def test_the_content_security_policy_of_the_app_makes_an_exception_for_pictures_only(
    path: str, as_alice: Client
) -> None:
    assert set(as_alice.get(path).headers["Content-Security-Policy"].split("; ")) == {
        "default-src 'self'",
        "img-src 'self' data: https:",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    }


@pytest.mark.parametrize("path", ["/app/", SHARED])
def test_the_page_of_the_app_has_no_inline_script_or_style(path: str, as_alice: Client) -> None:
    text = as_alice.get(path).text
    assert re.findall(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", text) == []
    assert all(url.startswith("/") for url in re.findall(r'(?:src|href)="([^"]*)"', text))


def test_a_shared_conversation_has_a_page_for_everybody(client: Client, db: None) -> None:
    page = client.get(SHARED)
    assert page.status_code == 200 and '<div id="app">' in page.text


def test_search_engines_and_linked_sites_do_not_learn_the_address_of_a_shared_conversation(
    client: Client, db: None
) -> None:
    headers = client.get(SHARED).headers
    assert (headers["X-Robots-Tag"], headers["Referrer-Policy"]) == ("noindex", "no-referrer")


def test_the_page_of_a_shared_conversation_does_not_depend_on_the_token(client: Client, db: None) -> None:
    """Whoever tries tokens learns nothing from the page. The API decides who can read what."""
    assert client.get(SHARED).content == client.get("/share/another-token/").content


def test_the_page_has_the_theme_that_the_user_has_chosen(as_alice: Client, alice: User) -> None:
    assert theme_of(as_alice.get("/app/")) == "system"
    preferences = Preferences.objects.create(user=alice, theme="dark")
    assert theme_of(as_alice.get("/app/")) == "dark"
    preferences.theme = 'a"><script>'
    preferences.save()
    assert theme_of(as_alice.get("/app/")) == "system"


def test_the_page_is_in_the_language_of_the_user_or_else_of_the_browser(as_alice: Client, alice: User) -> None:
    def language_of_page(accepted: str) -> str:
        page = as_alice.get("/app/", headers={"Accept": "text/html", "Accept-Language": accepted})
        return re.findall(r'<html lang="(\w+)"', page.text)[0]

    assert [language_of_page("de"), language_of_page("en")] == ["de", "en"]
    Preferences.objects.create(user=alice, language="de")
    assert language_of_page("en") == "de"


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """The content of the files that `make web` builds, by address."""
    return {f"/static/app/{path.name}": path.read_bytes() for path in settings.WEB_APP.iterdir()}


def entry(files: dict[str, bytes]) -> str:
    return HASHED.findall(files["/static/app/app.html"].decode())[0]


@pytest.mark.parametrize(("encoding", "ending"), [("br", ".br"), ("gzip", ".gz"), ("gzip, br", ".br")])
def test_files_are_sent_compressed(encoding: str, ending: str, files: dict[str, bytes], live: Live) -> None:
    address = entry(files)
    answer = live.call("GET", address, Accept_Encoding=encoding)
    assert answer.status == 200
    assert answer.headers["Content-Encoding"] == encoding.split(", ")[-1]
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert answer.body == files[address + ending]  # type: ignore[attr-defined]


def test_a_client_that_accepts_no_compression_gets_the_file_itself(files: dict[str, bytes], live: Live) -> None:
    address = entry(files)
    answer = live.call("GET", address)
    assert answer.headers["Content-Encoding"] is None
    assert answer.body == files[address]  # type: ignore[attr-defined]
    assert gzip.decompress(files[f"{address}.gz"]) == files[address]


def test_browsers_keep_files_with_a_hash_in_their_name_for_ever(files: dict[str, bytes], live: Live) -> None:
    for address in files:
        if HASHED.fullmatch(address):
            assert live.call("HEAD", address).headers["Cache-Control"] == "max-age=315360000, public, immutable"
    assert "immutable" not in live.call("HEAD", "/static/app/app.html").headers["Cache-Control"]
    assert "immutable" not in live.call("HEAD", "/static/chatstore/icon.svg").headers["Cache-Control"]


def test_every_built_file_except_the_page_has_a_hash_in_its_name(files: dict[str, bytes]) -> None:
    names = {address.removesuffix(".br").removesuffix(".gz") for address in files}
    assert {name for name in names if not HASHED.fullmatch(name)} <= {"/static/app/app.html"}


def test_collectstatic_collects_the_files_of_the_app(files: dict[str, bytes], tmp_path: Any, settings: Any) -> None:
    settings.STATIC_ROOT = tmp_path
    call_command("collectstatic", interactive=False, verbosity=0)
    assert {f"/static/app/{path.name}" for path in (tmp_path / "app").iterdir()} == files.keys()
