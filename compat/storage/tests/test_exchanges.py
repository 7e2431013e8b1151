"""The saves of the real client, whose sessions shrink and grow again. A read returns the last save, no reply is lost,
and a session that shrinks and grows again does not leave copies of its messages."""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path as FilePath
from random import Random

import pytest

from accounts.models import User
from conversations.models import Conversation
from testing.api_client import ApiClient
from testing.storage_client import NO_TOKENS, Json, every_message, load, save
from testing.tree_machine import assert_consistent

from .tab import Clock, Sessions, Tab

EXCHANGE = json.loads((FilePath(__file__).parent / "exchange.json").read_text())["posts"]


NO_USAGE = {"tokenUsage": NO_TOKENS}
Path = tuple[str, ...]


def read_back(sessions: Sessions) -> Sessions:
    """Return the sessions as the API returns them."""
    return [NO_USAGE | session | {"createdAt": _iso(session["createdAt"])} for session in sessions]


def _iso(time: int | str) -> str:
    if isinstance(time, str):
        return time
    moment = datetime.fromtimestamp(time / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_each_save_of_a_recorded_exchange_is_read_back(as_alice: ApiClient) -> None:
    for post in EXCHANGE:
        save(as_alice, *post["chatSessions"])
        assert load(as_alice) == read_back(post["chatSessions"]), post["why"]


def test_a_recorded_exchange_loses_no_reply_and_stores_no_copy(as_alice: ApiClient) -> None:
    for post in EXCHANGE:
        save(as_alice, *post["chatSessions"])
    stored = every_message(as_alice, "c1")
    contents = [row["content"] for row in stored if row["content"]]
    replies = ["Standing up, mostly.", "Nothing f", "They stand."]
    assert set(replies) <= set(contents)
    assert max(Counter(contents).values()) == 1
    assert len(stored) == 9, "the second tool call makes a second branch: three messages more than the six of the first"


@pytest.mark.parametrize("seed", range(20))
def test_200_random_exchanges_are_read_back_and_pile_up_no_branches(seed: int, alice: User) -> None:
    """Ten exchanges for each seed."""
    client, rng = ApiClient(alice), Random(seed)
    tab = Tab(Clock(rng), [])
    stale = Tab(tab.clock, [])
    texts: set[str] = set()
    posted: list[Sessions] = []
    for _ in range(10):
        for sessions in next_saves(tab, stale):
            save(client, *sessions)
            assert load(client) == read_back(sessions)
            posted.append(sessions)
        texts |= texts_of(tab.sessions) | texts_of(stale.sessions)
        if rng.random() < 0.3:
            stale = Tab(tab.clock, rng.choice(posted[-6:]))
    assert_everything_is_kept(client, alice, texts)
    for conversation in Conversation.objects.owned_by(alice):
        rows = list(conversation.messages.order_by("seq"))
        assert_consistent(conversation, rows)
        assert len(rows) <= len(distinct_places(posted, str(conversation.external_id)))


def next_saves(tab: Tab, stale: Tab) -> list[Sessions]:
    """Return the saves of one exchange, and of what happens before it."""
    rng = tab.rng
    saves: list[Sessions] = []
    if rng.random() < 0.4:
        saves += tab.new_chat() if rng.random() < 0.5 else tab.switch()
    if rng.random() < 0.2:
        saves += [stale.saved()] if rng.random() < 0.5 else stale.exchange()
    return saves + tab.exchange()


def texts_of(sessions: Sessions) -> set[str]:
    return {message["content"] for session in sessions for message in session["messages"]}


def assert_everything_is_kept(client: ApiClient, alice: User, texts: set[str]) -> None:
    """Assert that the native API shows each of these texts, or what it grew to, after the trash was restored."""
    for row in client.pages("/api/v1/conversations/?trashed=true"):
        client("POST", f"/api/v1/conversations/{row['id']}/restore/")
    names = [str(each.id) for each in Conversation.objects.owned_by(alice)]
    stored = {row["content"] for name in names for row in every_message(client, name)}
    assert [text for text in texts - stored if not any(other.startswith(text) for other in stored)] == []


def distinct_places(posted: Iterable[Sessions], id: str) -> set[Path]:
    """Return the places of all messages that were saved in a session: the steps on the path to each message.

    A reply that grows stays in its place. An earlier, shorter version of it that is saved later is another message."""
    places: set[Path] = set()
    longest: dict[Path, str] = {}
    for history in (session["messages"] for sessions in posted for session in sessions if session["id"] == id):
        path: Path = ()
        for message in history:
            path = (*path, step(message))
            content = longest.setdefault(path, message["content"])
            longest[path] = max(content, message["content"], key=len)
            if len(message["content"]) < len(content):
                path = (*path, message["content"])
            places.add(path)
    return places


def step(message: Json) -> str:
    text = message["content"] if message["role"] == "user" else ""
    return f"{message['id']} {message['role']} {len(message.get('tool_calls') or [])} {text}"
