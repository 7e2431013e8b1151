"""Times with any offset and at the ends of the calendar. PostgreSQL refuses offsets of 16 hours and more."""

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

LARGE_OFFSETS = ("+16:00", "-16:00", "+23:59", "-23:59")
ENDS = ("0001-01-01T00:00:00+23:59", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59Z")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def status(api_client: ApiClient, method: str, path: str, body: Any = None) -> int:
    sent = b"" if body is None else json.dumps(body).encode()
    bare, _, query = path.partition("?")
    return int(api_client.send(method, bare, query, sent, api_client.headers).status_code)


# Each of these functions sends a time in one field or parameter of the API, and returns the status code.


def updated_after(api_client: ApiClient, time: str) -> int:
    return status(api_client, "GET", f"/api/v1/conversations/?updated_after={quote(time)}")


def updated_before(api_client: ApiClient, time: str) -> int:
    return status(api_client, "GET", f"/api/v1/conversations/?updated_before={quote(time)}")


def search_before(api_client: ApiClient, time: str) -> int:
    return status(api_client, "GET", f"/api/v1/search/?q={quote(f'before:{time}')}")


def search_after(api_client: ApiClient, time: str) -> int:
    return status(api_client, "GET", f"/api/v1/search/?q={quote(f'word after:{time}')}")


def token_expiry(api_client: ApiClient, time: str) -> int:
    return status(api_client, "POST", "/api/v1/tokens/", {"name": "t", "expires_at": time})


def storage_creation(api_client: ApiClient, time: str) -> int:
    session = {"id": "s", "title": "t", "messages": [], "createdAt": time}
    return status(api_client, "POST", "/api/v1/storage/chat-sessions", {"chatSessions": [session]})


def conversation_cursor(api_client: ApiClient, time: str) -> int:
    cursor = pagination.encode("conversations", [time, "0190163d-8694-739b-aea5-966c26f8ad90"])
    return status(api_client, "GET", f"/api/v1/conversations/?cursor={cursor}")


def search_cursor(api_client: ApiClient, time: str) -> int:
    cursor = pagination.encode("search-recent", [time, "0190163d-8694-739b-aea5-966c26f8ad90", False])
    return status(api_client, "GET", f"/api/v1/search/?q=word&cursor={cursor}")


PLACES = [
    updated_after, updated_before, search_before, search_after, token_expiry, storage_creation, conversation_cursor,
    search_cursor,
]  # fmt: skip


@pytest.mark.parametrize("send", PLACES)
def test_every_time_is_accepted_or_refused_with_a_400(
    send: Callable[[ApiClient, str], int], as_alice: ApiClient
) -> None:
    times = [f"2026-01-01T12:00:00{offset}" for offset in LARGE_OFFSETS] + list(ENDS)
    statuses = {time: send(as_alice, time) for time in times}
    assert set(statuses.values()) <= {200, 201, 400}, statuses


@pytest.mark.parametrize("offset", LARGE_OFFSETS)
def test_a_large_offset_in_a_filter_is_converted_to_utc(offset: str, as_alice: ApiClient) -> None:
    as_alice("POST", "conversations/", {"title": "t"}, status=201)
    moment = utc(f"2026-01-01T12:00:00{offset}")
    Conversation.objects.update(updated_at=moment)
    for name, count in (("updated_after", 0), ("updated_before", 0)):
        page = as_alice("GET", f"conversations/?{name}={quote(f'2026-01-01T12:00:00{offset}')}")
        assert len(page["results"]) == count
    page = as_alice("GET", f"conversations/?updated_after={quote(f'2026-01-01T11:59:59{offset}')}")
    assert len(page["results"]) == 1


@pytest.mark.parametrize("offset", LARGE_OFFSETS)
def test_a_large_offset_in_a_sync_is_converted_to_utc(offset: str, as_alice: ApiClient) -> None:
    assert storage_creation(as_alice, f"2026-01-01T12:00:00{offset}") == 200
    assert Conversation.objects.get().created_at == utc(f"2026-01-01T12:00:00{offset}")


@pytest.mark.parametrize("offset", LARGE_OFFSETS)
def test_a_large_offset_in_the_expiry_of_a_token_is_converted_to_utc(offset: str, as_alice: ApiClient) -> None:
    assert token_expiry(as_alice, f"2099-01-01T12:00:00{offset}") == 201
    assert ApiToken.objects.get(name="t").expires_at == utc(f"2099-01-01T12:00:00{offset}")


@pytest.mark.parametrize("offset", LARGE_OFFSETS)
def test_a_large_offset_in_an_import_is_converted_to_utc(offset: str, alice: User, tmp_path: Path) -> None:
    time = f"2026-01-01T12:00:00{offset}"
    message = {"role": "user", "content": "c", "created_at": time}
    line = {"id": "a", "created_at": time, "archived_at": time, "messages": [message]}
    (tmp_path / "lines.jsonl").write_text(json.dumps(line))
    call_command("loadconversations", str(tmp_path / "lines.jsonl"), f"--user={alice.email}", stdout=io.StringIO())
    stored = Conversation.objects.get()
    assert {stored.created_at, stored.archived_at, Message.objects.get().created_at} == {utc(time)}


def test_an_import_refuses_times_at_the_ends_of_the_calendar(alice: User, tmp_path: Path) -> None:
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
