"""Times come in with any offset and at the ends of the calendar. PostgreSQL refuses offsets of 16 hours and more."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.core.management import call_command

from accounts.models import ApiToken, User
from chatstore.api import pagination
from conversations.models import Conversation, Message
from testing.api_client import ApiClient

pytestmark = pytest.mark.django_db

FAR_OFFSETS = ("+16:00", "-16:00", "+23:59", "-23:59")
ENDS = ("0001-01-01T00:00:00+23:59", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59Z")


@pytest.fixture
def as_alice(alice: User) -> ApiClient:
    return ApiClient(alice)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def status(caller: ApiClient, method: str, path: str, body: Any = None) -> int:
    sent = b"" if body is None else json.dumps(body).encode()
    bare, _, query = path.partition("?")
    return int(caller.send(method, bare, query, sent, caller.headers).status_code)


# Each sends one time to one place, and returns the status of the answer.


def updated_after(caller: ApiClient, time: str) -> int:
    return status(caller, "GET", f"/api/v1/conversations/?updated_after={quote(time)}")


def updated_before(caller: ApiClient, time: str) -> int:
    return status(caller, "GET", f"/api/v1/conversations/?updated_before={quote(time)}")


def search_before(caller: ApiClient, time: str) -> int:
    return status(caller, "GET", f"/api/v1/search/?q={quote(f'before:{time}')}")


def search_after(caller: ApiClient, time: str) -> int:
    return status(caller, "GET", f"/api/v1/search/?q={quote(f'word after:{time}')}")


def token_expiry(caller: ApiClient, time: str) -> int:
    return status(caller, "POST", "/api/v1/tokens/", {"name": "t", "expires_at": time})


def storage_creation(caller: ApiClient, time: str) -> int:
    session = {"id": "s", "title": "t", "messages": [], "createdAt": time}
    return status(caller, "POST", "/api/v1/storage/chat-sessions", {"chatSessions": [session]})


def conversation_cursor(caller: ApiClient, time: str) -> int:
    cursor = pagination.encode("conversations", [time, "0190163d-8694-739b-aea5-966c26f8ad90"])
    return status(caller, "GET", f"/api/v1/conversations/?cursor={cursor}")


def search_cursor(caller: ApiClient, time: str) -> int:
    cursor = pagination.encode("search-recent", [time, "0190163d-8694-739b-aea5-966c26f8ad90", False])
    return status(caller, "GET", f"/api/v1/search/?q=word&cursor={cursor}")


PLACES = [
    updated_after, updated_before, search_before, search_after, token_expiry, storage_creation, conversation_cursor,
    search_cursor,
]  # fmt: skip


@pytest.mark.parametrize("send", PLACES)
def test_no_time_breaks_the_service(send: Callable[[ApiClient, str], int], as_alice: ApiClient) -> None:
    times = [f"2026-01-01T12:00:00{offset}" for offset in FAR_OFFSETS] + list(ENDS)
    answered = {time: send(as_alice, time) for time in times}
    assert set(answered.values()) <= {200, 201, 400}, answered


@pytest.mark.parametrize("offset", FAR_OFFSETS)
def test_a_far_offset_means_the_same_moment_in_a_filter(offset: str, as_alice: ApiClient) -> None:
    as_alice("POST", "conversations/", {"title": "t"}, status=201)
    moment = utc(f"2026-01-01T12:00:00{offset}")
    Conversation.objects.update(updated_at=moment)
    for name, found in (("updated_after", 0), ("updated_before", 0)):
        page = as_alice("GET", f"conversations/?{name}={quote(f'2026-01-01T12:00:00{offset}')}")
        assert len(page["results"]) == found
    page = as_alice("GET", f"conversations/?updated_after={quote(f'2026-01-01T11:59:59{offset}')}")
    assert len(page["results"]) == 1


@pytest.mark.parametrize("offset", FAR_OFFSETS)
def test_a_far_offset_means_the_same_moment_in_a_whole_save(offset: str, as_alice: ApiClient) -> None:
    assert storage_creation(as_alice, f"2026-01-01T12:00:00{offset}") == 200
    assert Conversation.objects.get().created_at == utc(f"2026-01-01T12:00:00{offset}")


@pytest.mark.parametrize("offset", FAR_OFFSETS)
def test_a_far_offset_means_the_same_moment_as_a_tokens_end(offset: str, as_alice: ApiClient) -> None:
    assert token_expiry(as_alice, f"2099-01-01T12:00:00{offset}") == 201
    assert ApiToken.objects.get(name="t").expires_at == utc(f"2099-01-01T12:00:00{offset}")


@pytest.mark.parametrize("offset", FAR_OFFSETS)
def test_a_far_offset_means_the_same_moment_in_a_file(offset: str, alice: User, tmp_path: Path) -> None:
    time = f"2026-01-01T12:00:00{offset}"
    message = {"role": "user", "content": "c", "created_at": time}
    line = {"id": "a", "created_at": time, "archived_at": time, "messages": [message]}
    (tmp_path / "lines.jsonl").write_text(json.dumps(line))
    call_command("loadconversations", str(tmp_path / "lines.jsonl"), f"--user={alice.email}", stdout=io.StringIO())
    stored = Conversation.objects.get()
    assert {stored.created_at, stored.archived_at, Message.objects.get().created_at} == {utc(time)}


def test_a_time_at_the_end_of_the_calendar_in_a_file_is_refused_by_its_line(alice: User, tmp_path: Path) -> None:
    lines = [json.dumps({"id": time, "created_at": time}) for time in ENDS]
    (tmp_path / "lines.jsonl").write_text("\n".join(lines))
    err = io.StringIO()
    with pytest.raises(Exception, match="4"):
        call_command(
            "loadconversations",
            str(tmp_path / "lines.jsonl"),
            f"--user={alice.email}",
            stdout=io.StringIO(),
            stderr=err,
        )
    assert err.getvalue().count("created_at: Must be a time with its zone, from 1970 until now.") == 4
