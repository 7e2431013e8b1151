"""Shares: what readers of a link see, and what they do not see."""

import io
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.services import managed_user
from chatstore.errors import NotFound
from conversations.models import Conversation, Message, Share, SharedMessage
from conversations.services import branches, conversations, holds, messages, retention, shares
from testing.api_client import ApiClient, acting_client
from testing.cast import create_conversation, message_draft, message_with_text
from testing.parallel import repeat, run_concurrently
from testing.statements import assert_statement_count, executed_sql

HEADERS = {"X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
NOT_FOUND = ("not_found", None)


@pytest.fixture
def chat(alice: User) -> Conversation:
    return create_conversation(alice, "Hi", "Hello", "Well?", title="Zebras")


def share(client: ApiClient, chat: Conversation, **fields: Any) -> Any:
    return client("POST", f"conversations/{chat.id}/shares/", fields, status=201)


def read(token: str, client: ApiClient | None = None) -> list[str]:
    """Return the texts that the readers of a link see."""
    return [message["content"] for message in (client or ApiClient()).pages(f"shared/{token}/messages/")]


def assert_closed(token: str) -> None:
    for path in (f"shared/{token}/", f"shared/{token}/messages/"):
        assert ApiClient().refusal("GET", path, status=404) == NOT_FOUND


# --- What a link shows --------------------------------------------------------------------------------


def test_everyone_with_the_link_reads_the_messages_of_the_active_path(as_alice: ApiClient, chat: Conversation) -> None:
    created = share(as_alice, chat)
    assert created["url"] == f"http://testserver/share/{created['token']}"
    assert len(created["token"]) == 32
    expected = {"title": "Zebras", "message_count": 3, "expires_at": None, "created_at": created["created_at"]}
    assert ApiClient()("GET", f"shared/{created['token']}/") == expected
    assert {name: created[name] for name in expected} == expected
    assert read(created["token"]) == ["Hi", "Hello", "Well?"]


def test_a_shared_message_has_neither_metadata_nor_tokens_nor_reasoning(as_alice: ApiClient, alice: User) -> None:
    fields = {"metadata": {"k": "secret"}, "prompt_tokens": 7, "reasoning": "secret", "error": "secret", "model": "m"}
    calls = {"tool_calls": [{"id": "call_1"}], "parts": [{"type": "text", "text": "part"}], "name": "n"}
    draft = message_draft("Hello", "assistant", external_id="secret", **fields, **calls)
    chat, _ = conversations.create(user=alice, fields={"metadata": {"k": "secret"}}, drafts=[draft])
    (message,) = ApiClient()("GET", f"shared/{share(as_alice, chat)['token']}/messages/")["results"]
    stored = chat.messages.get()
    assert message.pop("created_at")
    assert message == {
        "id": str(stored.id),
        "role": "assistant",
        "content": "Hello",
        "reasoning": "",
        "tool_call_id": "",
        "model": "m",
        "status": "completed",
        **calls,
    }
    assert "secret" not in str(list(SharedMessage.objects.values()))


def test_the_name_of_the_owner_in_a_message_is_not_shared(as_alice: ApiClient, alice: User) -> None:
    drafts = [message_draft("Hi", "user", name="Alice"), message_draft("Hello", "assistant", name="Writer")]
    chat, _ = conversations.create(user=alice, fields={}, drafts=drafts)
    shared = ApiClient()("GET", f"shared/{share(as_alice, chat)['token']}/messages/")["results"]
    assert [message["name"] for message in shared] == ["", "Writer"]
    assert not SharedMessage.objects.filter(name="Alice").exists()


def test_instructions_and_messages_without_text_are_not_shared(as_alice: ApiClient, alice: User) -> None:
    drafts = [
        message_draft("secret", "system"),
        message_draft("secret", "developer"),
        message_draft("Hi"),
        message_draft("secret", "critic"),
        message_draft("secret", "unknown"),
        message_draft("secret", "assistant", item_type="reasoning"),
        message_draft("", "assistant", status="failed"),
        message_draft("12 hotels", "tool"),
        message_draft("Part", "assistant", status="incomplete"),
        message_draft("sec", "assistant", status="in_progress"),
    ]
    chat, _ = conversations.create(user=alice, fields={}, drafts=drafts)
    created = share(as_alice, chat)
    assert read(created["token"]) == ["Hi", "12 hotels", "Part"]
    assert created["message_count"] == 3


@pytest.mark.parametrize(
    ("parts", "shared"),
    [
        ([{"type": "reasoning", "text": "secret"}, {"type": "text", "text": "a"}], [{"type": "text", "text": "a"}]),
        ([{"type": "thinking"}, {"type": "redacted_thinking"}, {"type": "thinking_out"}], [{"type": "thinking_out"}]),
        (
            [{"type": 5}, {"type": None}, {"text": "a"}, "text", 1, None],
            [{"type": 5}, {"type": None}, {"text": "a"}, "text", 1, None],
        ),
        ([], []),
        ({"type": "reasoning"}, {"type": "reasoning"}),
        (None, None),
    ],
)
def test_parts_with_reasoning_are_not_shared(parts: Any, shared: Any, as_alice: ApiClient, alice: User) -> None:
    chat, _ = conversations.create(user=alice, fields={}, drafts=[message_draft("Hi", "assistant", parts=parts)])
    token = share(as_alice, chat)["token"]
    assert ApiClient()("GET", f"shared/{token}/messages/")["results"][0]["parts"] == shared


def test_later_messages_edits_and_branches_are_not_shared(as_alice: ApiClient, chat: Conversation, alice: User) -> None:
    token = share(as_alice, chat)["token"]
    before = read(token)
    messages.append(user=alice, conversation_id=chat.id, drafts=[message_draft("later")])
    hello = message_with_text(chat, "Hello")
    messages.update(user=alice, message_id=hello.id, changes={"content": "edited"})
    branches.branch(user=alice, message_id=hello.id, changes={"content": "other branch"})
    conversations.update(user=alice, conversation_id=chat.id, changes={"title": "Other"})
    assert read(token) == before
    assert ApiClient()("GET", f"shared/{token}/")["title"] == "Zebras"


def test_a_reply_that_grows_is_not_shared_and_naming_it_is_a_conflict(as_alice: ApiClient, alice: User) -> None:
    chat = create_conversation(alice, "Hi")
    (reply,), _ = messages.append(
        user=alice, conversation_id=chat.id, drafts=[message_draft("One", "assistant", status="in_progress")]
    )
    token = share(as_alice, chat)["token"]
    path = f"conversations/{chat.id}/shares/"
    refused = as_alice.refusal("POST", path, {"message_id": str(reply.id)}, status=409)
    assert refused == ("conflict", "message_id")
    messages.update(user=alice, message_id=reply.id, changes={"content": "One two", "status": "completed"})
    assert read(token) == ["Hi"]
    assert read(share(as_alice, chat, message_id=str(reply.id))["token"]) == ["Hi", "One two"]


def test_a_share_can_end_at_an_earlier_message_or_at_one_of_a_hidden_branch(
    as_alice: ApiClient, chat: Conversation, alice: User
) -> None:
    hello, well = message_with_text(chat, "Hello"), message_with_text(chat, "Well?")
    branches.branch(user=alice, message_id=hello.id, changes={"content": "Good day"})
    assert read(share(as_alice, chat)["token"]) == ["Hi", "Good day"]
    assert read(share(as_alice, chat, message_id=str(hello.id))["token"]) == ["Hi", "Hello"]
    assert read(share(as_alice, chat, message_id=str(well.id))["token"]) == ["Hi", "Hello", "Well?"]


def test_a_message_of_another_conversation_or_in_the_trash_cannot_be_the_end(
    as_alice: ApiClient, chat: Conversation, alice: User
) -> None:
    other = message_with_text(create_conversation(alice, "other"), "other")
    trashed = message_with_text(chat, "Well?")
    messages.trash(user=alice, message_id=trashed.id)
    for message in (other, trashed):
        body = {"message_id": str(message.id)}
        assert as_alice.refusal("POST", f"conversations/{chat.id}/shares/", body, status=404) == NOT_FOUND


def test_a_conversation_without_a_message_to_share_is_a_conflict(as_alice: ApiClient, alice: User) -> None:
    chat, _ = conversations.create(user=alice, fields={}, drafts=[message_draft("secret", "system")])
    assert as_alice.refusal("POST", f"conversations/{chat.id}/shares/", {}, status=409) == ("conflict", None)
    assert not Share.objects.exists()


def test_a_trashed_message_disappears_until_it_is_restored(
    as_alice: ApiClient, chat: Conversation, alice: User
) -> None:
    token = share(as_alice, chat)["token"]
    hello = message_with_text(chat, "Hello")
    messages.trash(user=alice, message_id=hello.id)
    assert read(token) == ["Hi", "Well?"]
    messages.restore(user=alice, message_id=hello.id)
    assert read(token) == ["Hi", "Hello", "Well?"]


def test_every_response_about_a_link_forbids_indexing_referrers_and_caches(
    as_alice: ApiClient, chat: Conversation
) -> None:
    open_, closed = share(as_alice, chat)["token"], share(as_alice, chat, sign_in_required=True)["token"]
    client = ApiClient()
    for token, status in ((open_, 200), (closed, 401), ("x" * 32, 404)):
        for path in (f"shared/{token}/", f"shared/{token}/messages/"):
            client("GET", path, status=status)
            assert {name: client.answer.headers[name] for name in HEADERS} == HEADERS


def test_the_log_of_a_refused_request_does_not_contain_the_token(as_alice: ApiClient, chat: Conversation) -> None:
    token = share(as_alice, chat, sign_in_required=True)["token"]
    (handler,) = (each for each in logging.getLogger().handlers if type(each) is logging.StreamHandler)
    log = io.StringIO()
    usual = handler.setStream(log)
    try:
        ApiClient()("GET", f"shared/{token}/messages/", status=401)
        ApiClient().status_of("GET", f"/share/{token}")
    finally:
        handler.setStream(usual)
    assert "Unauthorized: /api/v1/shared/…/messages/" in log.getvalue()
    assert token not in log.getvalue()


# --- When a link works --------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["x", "x" * 32, "x" * 5_000, "%00" * 32, "é" * 32, "' OR 1=1 --", "..%2f"])
def test_an_unknown_token_is_a_404(token: str, db: None) -> None:
    assert_closed(token)


def test_a_conversation_in_the_trash_shares_nothing_until_it_is_restored(
    as_alice: ApiClient, chat: Conversation, alice: User
) -> None:
    created = share(as_alice, chat)
    conversations.trash(user=alice, conversation_id=chat.id)
    assert_closed(created["token"])
    as_alice("GET", f"conversations/{chat.id}/shares/", status=404)
    assert as_alice("GET", "shares/")["results"] == [created]
    conversations.restore(user=alice, conversation_id=chat.id)
    assert read(created["token"]) == ["Hi", "Hello", "Well?"]


def test_a_revoked_share_is_closed_at_once_and_its_copy_is_deleted(as_alice: ApiClient, chat: Conversation) -> None:
    revoked, other = share(as_alice, chat), share(as_alice, chat)
    as_alice("DELETE", f"shares/{revoked['id']}/", status=204)
    assert_closed(revoked["token"])
    assert as_alice.refusal("DELETE", f"shares/{revoked['id']}/", status=404) == NOT_FOUND
    assert as_alice("GET", "shares/")["results"] == [other]
    assert SharedMessage.objects.values_list("share_id", flat=True).distinct().get() == Share.objects.get().pk


def test_a_share_in_the_trash_or_on_hold_can_be_revoked(
    as_alice: ApiClient, chat: Conversation, alice: User, sam: User
) -> None:
    created = share(as_alice, chat)
    holds.place(user=alice, conversation_id=chat.id, reason="Case 7", by=sam)
    conversations.trash(user=alice, conversation_id=chat.id)
    as_alice("DELETE", f"shares/{created['id']}/", status=204)
    assert not Share.objects.exists()
    assert chat.messages.count() == 3


def test_an_expired_share_is_closed_and_housekeeping_deletes_it(as_alice: ApiClient, chat: Conversation) -> None:
    soon = (timezone.now() + timedelta(hours=1)).isoformat()
    expired, kept = share(as_alice, chat, expires_at=soon), share(as_alice, chat, expires_at=soon)
    assert read(expired["token"]) == ["Hi", "Hello", "Well?"]
    Share.objects.filter(id=expired["id"]).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert_closed(expired["token"])
    assert [row["id"] for row in as_alice("GET", "shares/")["results"]] == [kept["id"]]
    assert retention.housekeep()["shares"] == 1
    assert str(Share.objects.get().id) == kept["id"]


def test_a_share_cannot_expire_in_the_past(as_alice: ApiClient, chat: Conversation) -> None:
    body = {"expires_at": "2020-01-01T00:00:00Z"}
    assert as_alice.refusal("POST", f"conversations/{chat.id}/shares/", body, status=400) == ("invalid", "expires_at")


def test_a_share_that_needs_a_sign_in_is_open_for_every_user(
    as_alice: ApiClient, as_bob: ApiClient, bob: User, chat: Conversation
) -> None:
    token = share(as_alice, chat, sign_in_required=True)["token"]
    for path in (f"shared/{token}/", f"shared/{token}/messages/"):
        stranger = ApiClient()
        assert stranger.refusal("GET", path, status=401) == ("not_authenticated", None)
        assert stranger.answer.headers["WWW-Authenticate"] == "Bearer"
        assert "Zebras" not in stranger.text
        writer = ApiClient(bob, scopes=["write"])
        assert writer.refusal("GET", path, status=403) == ("permission_denied", None)
        as_bob("GET", path)
        ApiClient(bob, by="session")("GET", path)


def test_an_owner_or_a_back_end_that_is_deactivated_shares_nothing(back_end: User) -> None:
    user = managed_user(manager=back_end, external_id="u-1")
    token = share(acting_client(back_end, "u-1"), create_conversation(user, "Hi"))["token"]
    for deactivated in (user, back_end):
        assert read(token) == ["Hi"]
        User.objects.filter(pk=deactivated.pk).update(is_active=False)
        assert_closed(token)
        User.objects.filter(pk=deactivated.pk).update(is_active=True)


def test_readers_without_credentials_are_limited_by_address(
    as_alice: ApiClient, chat: Conversation, settings: Any
) -> None:
    token = share(as_alice, chat)["token"]
    settings.API_RATE = 1
    client = ApiClient()
    client("GET", f"shared/{token}/")
    assert client.refusal("GET", f"shared/{token}/messages/", status=429) == ("rate_limited", None)


def test_other_methods_are_a_405(as_alice: ApiClient, chat: Conversation) -> None:
    token = share(as_alice, chat)["token"]
    for path in (f"shared/{token}/", f"shared/{token}/messages/"):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            ApiClient()(method, path, {}, status=405)


# --- The owner ----------------------------------------------------------------------------------------


def test_the_owner_lists_shares_newest_first_in_pages(as_alice: ApiClient, chat: Conversation, alice: User) -> None:
    first, second = share(as_alice, chat), share(as_alice, chat, sign_in_required=True)
    other = share(as_alice, create_conversation(alice, "other"))
    assert as_alice.pages("shares/?limit=1") == [other, second, first]
    assert as_alice.pages(f"conversations/{chat.id}/shares/?limit=1") == [second, first]
    cursor = as_alice("GET", "shares/?limit=1")["next"].partition("?")[2]
    assert as_alice.refusal("GET", f"conversations/{chat.id}/shares/?{cursor}", status=400) == ("invalid", "cursor")


def test_a_stranger_neither_lists_nor_creates_nor_revokes_shares(
    as_alice: ApiClient, as_bob: ApiClient, chat: Conversation
) -> None:
    created = share(as_alice, chat)
    assert as_bob("GET", "shares/")["results"] == []
    assert as_bob.refusal("GET", f"conversations/{chat.id}/shares/", status=404) == NOT_FOUND
    assert as_bob.refusal("POST", f"conversations/{chat.id}/shares/", {}, status=404) == NOT_FOUND
    assert as_bob.refusal("DELETE", f"shares/{created['id']}/", status=404) == NOT_FOUND
    assert Share.objects.count() == 1


def test_the_limits_of_shares_name_themselves(
    as_alice: ApiClient, chat: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"conversations/{chat.id}/shares/"
    for name, value, code, text in [
        ("MESSAGES_LIMIT", 2, "share_too_large", "at most 2 messages"),
        ("BYTES_LIMIT", 11, "share_too_large", "and 11 bytes"),
        ("SHARES_LIMIT", 0, "too_many_shares", "You have 0 shared links"),
    ]:
        with monkeypatch.context() as patch:
            patch.setattr(shares, name, value)
            assert as_alice.refusal("POST", path, {}, status=409) == (code, None)
            assert text in as_alice.text
    monkeypatch.setattr(shares, "MESSAGES_LIMIT", 3)
    monkeypatch.setattr(shares, "BYTES_LIMIT", 12)
    monkeypatch.setattr(shares, "SHARES_LIMIT", 1)
    share(as_alice, chat)


def test_an_expired_share_counts_until_housekeeping_deletes_it(
    as_alice: ApiClient, chat: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "SHARES_LIMIT", 1)
    share(as_alice, chat)
    Share.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert as_alice.refusal("POST", f"conversations/{chat.id}/shares/", {}, status=409) == ("too_many_shares", None)
    retention.housekeep()
    share(as_alice, chat)


@pytest.mark.django_db(transaction=True)
def test_simultaneous_requests_with_one_idempotency_key_create_one_share(alice: User) -> None:
    chat = create_conversation(alice, "Hi")
    clients = [ApiClient(alice) for _ in range(4)]
    path = f"conversations/{chat.id}/shares/"
    statuses = run_concurrently(
        *repeat(4, lambda index: clients[index].status_of("POST", path, {}, Idempotency_Key="k"))
    )
    assert sorted(statuses) == [200, 200, 200, 201]
    assert len({client.text for client in clients}) == 1
    assert Share.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_simultaneous_requests_do_not_exceed_the_limit_of_shares(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "SHARES_LIMIT", 2)
    chats = [create_conversation(alice, "Hi") for _ in range(8)]
    clients = [ApiClient(alice) for _ in chats]

    def create(index: int) -> int:
        return clients[index].status_of("POST", f"conversations/{chats[index].id}/shares/", {})

    assert sorted(run_concurrently(*repeat(8, create))) == [201] * 2 + [409] * 6
    assert Share.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_simultaneous_shares_revocations_and_a_purge_end_without_a_deadlock(alice: User) -> None:
    for _ in range(5):
        chat = create_conversation(alice, *(f"text {number}" for number in range(50)))
        existing = [shares.create(user=alice, conversation_id=chat.id) for _ in range(3)]
        works = [
            *(partial(shares.revoke, user=alice, share_id=share.id) for share in existing),
            *[partial(shares.create, user=alice, conversation_id=chat.id)] * 3,
            partial(conversations.purge, user=alice, conversation_id=chat.id),
        ]
        run_concurrently(*(partial(unless_gone, work) for work in works))
        assert not Share.objects.exists() and not SharedMessage.objects.exists()


def unless_gone(work: Callable[[], Any]) -> None:
    with suppress(NotFound):
        work()


# --- Costs --------------------------------------------------------------------------------------------


def test_ten_thousand_messages_are_copied_with_one_statement(alice: User, as_alice: ApiClient) -> None:
    drafts = [message_draft(f"text {number}") for number in range(10_000)]
    chat, _ = conversations.create(user=alice, fields={}, drafts=drafts)
    as_alice("GET", "me/")  # stores the use of the token, which happens at most once an hour
    with executed_sql() as recorded:
        created = share(as_alice, chat)
    assert sum("INSERT INTO shared_message" in sql for sql in recorded) == 1
    assert len(recorded) == 8
    assert created["message_count"] == SharedMessage.objects.count() == 10_000
    with assert_statement_count(2):
        page = ApiClient()("GET", f"shared/{created['token']}/messages/?limit=1000")
    assert len(page["results"]) == 1_000 and page["next"]
    messages.append(user=alice, conversation_id=chat.id, drafts=[message_draft("one more")])
    assert as_alice.refusal("POST", f"conversations/{chat.id}/shares/", {}, status=409)[0] == "share_too_large"


def test_pages_have_every_message_once(as_alice: ApiClient, alice: User) -> None:
    chat = create_conversation(alice, *(f"text {number}" for number in range(7)))
    token = share(as_alice, chat)["token"]
    expected = read(token)
    for limit in (1, 2, 3, 6, 7, 8):
        found = ApiClient().pages(f"shared/{token}/messages/?limit={limit}")
        assert [message["content"] for message in found] == expected, limit


def test_a_page_ends_at_its_limit_of_bytes(
    as_alice: ApiClient, chat: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = share(as_alice, chat)["token"]
    monkeypatch.setattr("conversations.querysets.PAGE_BYTES", 300)
    page = ApiClient()("GET", f"shared/{token}/messages/")
    assert [message["content"] for message in page["results"]] == ["Hi", "Hello"]
    assert read(token) == ["Hi", "Hello", "Well?"]


def test_readers_of_an_open_link_cost_one_statement_and_two_for_a_page(as_alice: ApiClient, chat: Conversation) -> None:
    token = share(as_alice, chat)["token"]
    for path, count in ((f"shared/{token}/", 1), (f"shared/{token}/messages/", 2), ("shared/x/", 0)):
        with assert_statement_count(count):
            ApiClient().status_of("GET", path)


@pytest.mark.parametrize("rows", [1, 15])
def test_lists_run_the_same_statements_for_any_number_of_shares(
    rows: int, as_alice: ApiClient, chat: Conversation
) -> None:
    for _ in range(rows):
        share(as_alice, chat)
    for path, count in (("shares/", 1), (f"conversations/{chat.id}/shares/", 2)):
        with assert_statement_count(1 + count):  # one for the token
            assert len(as_alice("GET", path)["results"]) == rows


# --- Nothing is left ----------------------------------------------------------------------------------


def test_a_purge_deletes_the_shares_of_the_conversation(as_alice: ApiClient, chat: Conversation, alice: User) -> None:
    token = share(as_alice, chat)["token"]
    as_alice("DELETE", f"conversations/{chat.id}/?permanent=true", status=204)
    assert_closed(token)
    assert not Share.objects.exists() and not SharedMessage.objects.exists()


def test_a_forgotten_message_has_no_copy(as_alice: ApiClient, chat: Conversation, alice: User) -> None:
    token = share(as_alice, chat)["token"]
    messages.trash(user=alice, message_id=message_with_text(chat, "Hello").id)
    Message.objects.trashed().update(deleted_at=timezone.now() - timedelta(days=365))
    assert retention.housekeep()["messages"] == 1
    assert list(SharedMessage.objects.values_list("content", flat=True)) == ["Hi", "Well?"]
    assert read(token) == ["Hi", "Well?"]
