"""The web app while its server is killed and started again."""

from threading import Event
from typing import Any

import psutil
from django.db import connection
from playwright.sync_api import expect

from accounts.models import User
from testing import scratch
from testing.fake_provider import FakeProvider, streams
from testing.live_server import web_server

from .web import Problems, SignIn, settings_of_models


def test_a_reply_continues_after_the_server_was_killed_and_started_again(
    sign_in: SignIn, alice: User, model: FakeProvider, problems: Problems
) -> None:
    port, gate = scratch.free_port(), Event()
    model.behavior = streams("One ", gate, "two.")
    page = sign_in(alice, base_url=f"http://localhost:{port}")
    last = page.locator("article.message").last
    with server(port, model) as (_, process):
        page.goto("/app/")
        page.get_by_label("Message", exact=True).fill("Count.")
        page.get_by_label("Message", exact=True).press("Enter")
        expect(last).to_contain_text("One")
        kill(process.pid)
    gate.set()  # the generator is a process of its own, and finishes the reply meanwhile
    with server(port, model):
        expect(last).to_contain_text("One two.")
        expect(page.locator("article.message")).to_have_count(2)
    problems[:] = [problem for problem in problems if "net::ERR_" not in problem]


def server(port: int, model: FakeProvider) -> Any:
    database = str(connection.settings_dict["NAME"])
    return web_server("testing.live_wsgi", LIVE_DATABASE=database, PORT=str(port), **settings_of_models(model))


def kill(pid: int) -> None:
    """Kill a process and its children."""
    main = psutil.Process(pid)
    for process in [main, *main.children(recursive=True)]:
        process.kill()
