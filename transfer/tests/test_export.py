"""The export of all data of a user, GET /me/export/, and the import of its conversations."""

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import User
from conversations.columns import CONVERSATION_FIELDS, MESSAGE_FIELDS
from conversations.models import Conversation, Message
from conversations.querysets import PURGING
from conversations.services import branches, conversations, messages, reactions
from conversations.services.sync import sync
from testing.api_client import AUTHENTICATION_KINDS, ApiClient, create_user
from testing.cast import create_conversation, dialogue, message_with_text
from testing.statements import executed_statements
from testing.tree_machine import assert_consistent
from transfer.exporters import archive

PATH = "me/export/"


def open_archive(content: bytes) -> zipfile.ZipFile:
    zipped = zipfile.ZipFile(io.BytesIO(content))
    assert zipped.testzip() is None
    assert zipped.namelist() == ["account.json", "conversations.jsonl"]
    return zipped


def export_conversations(caller: ApiClient) -> list[Any]:
    caller("GET", PATH)
    return [json.loads(line) for line in open_archive(caller.content).read("conversations.jsonl").splitlines()]


def export_account(caller: ApiClient) -> Any:
    caller("GET", PATH)
    return json.loads(open_archive(caller.content).read("account.json"))


def contents(line: Any) -> list[str]:
    return [message["content"] for message in line["messages"]]


def test_the_response_is_a_zip_attachment_that_no_cache_stores(as_either: ApiClient) -> None:
    as_either("GET", PATH)
    headers = as_either.answer.headers
    assert headers["Content-Type"] == "application/zip"
    assert headers["Content-Disposition"].startswith('attachment; filename="chatstore-20')
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("accept", ["application/zip", "text/html,*/*;q=0.8", "application/json"])
def test_the_response_is_a_zip_and_an_error_is_json_for_any_accept_header(accept: str, as_alice: ApiClient) -> None:
    as_alice("GET", PATH, Accept=accept)
    open_archive(as_alice.content)
    assert ApiClient().refusal("GET", PATH, status=401, Accept=accept) == ("not_authenticated", None)


@pytest.mark.parametrize("by", AUTHENTICATION_KINDS)
def test_the_account_equals_the_responses_of_the_api_and_has_no_secrets(by: str, alice: User) -> None:
    caller = ApiClient(alice, by=by)
    caller("PATCH", "preferences/", {"theme": "light", "extra": {"font": 14}})
    created = caller("POST", "tokens/", {"name": "laptop"}, status=201)
    alice.emailaddress_set.create(email="alice@example.com", verified=True, primary=True)
    chat = create_conversation(alice, "Hi")
    share = caller("POST", f"conversations/{chat.id}/shares/", {}, status=201)
    account = export_account(caller)
    assert share["token"] not in json.dumps(account)
    assert account == {
        "profile": caller("GET", "me/"),
        "preferences": caller("GET", "preferences/"),
        "tokens": caller("GET", "tokens/"),
        "emails": [{"email": "alice@example.com", "verified": True, "primary": True}],
        "linked_accounts": [],
        "shares": [{name: value for name, value in share.items() if name not in ("token", "url")}],
    }
    assert "laptop" in [token["name"] for token in account["tokens"]]
    assert created["token"] not in json.dumps(account)


def test_an_account_without_conversations_exports_an_empty_file_of_conversations(as_alice: ApiClient) -> None:
    assert export_conversations(as_alice) == []


def test_a_conversation_has_the_api_fields_and_the_messages_of_all_branches(as_alice: ApiClient, alice: User) -> None:
    chat = create_conversation(alice, "Hi", "Hello", "Well?", title="Zebras é 北京", tags=["a"])
    branches.branch(user=alice, message_id=message_with_text(chat, "Hello").id, changes={"content": "Good day"})
    reactions.react(user=alice, message_id=message_with_text(chat, "Hello").id, type="like")
    messages.trash(user=alice, message_id=message_with_text(chat, "Good day").id)
    (line,) = export_conversations(as_alice)
    assert list(line) == [*CONVERSATION_FIELDS, "is_archived", "messages"]
    assert {name: value for name, value in line.items() if name != "messages"} == as_alice(
        "GET", f"conversations/{chat.id}/"
    )
    assert contents(line) == ["Hi", "Hello", "Well?", "Good day"]
    assert [list(message) for message in line["messages"]] == [[*MESSAGE_FIELDS, "reactions"]] * 4
    hello, good_day = line["messages"][1], line["messages"][3]
    assert (hello["is_active"], hello["reactions"], hello["parent_seq"]) == (False, ["like"], 1)
    assert good_day["deleted_at"] and good_day["parent_seq"] == 1


def test_archived_and_trashed_conversations_are_exported_with_their_marks(as_alice: ApiClient, alice: User) -> None:
    plain, archived, trashed = (create_conversation(alice, name) for name in ("plain", "archived", "trashed"))
    conversations.update(user=alice, conversation_id=archived.id, changes={"is_archived": True})
    conversations.trash(user=alice, conversation_id=trashed.id)
    lines = {line["id"]: line for line in export_conversations(as_alice)}
    marks = [
        (lines[str(row.id)]["is_archived"], bool(lines[str(row.id)]["deleted_at"]))
        for row in (plain, archived, trashed)
    ]
    assert marks == [(False, False), (True, False), (False, True)]


def test_forgotten_messages_and_half_purged_conversations_are_not_exported(as_alice: ApiClient, alice: User) -> None:
    purged, _ = create_conversation(alice, "purged"), create_conversation(alice, "kept", "secret")
    Conversation.objects.filter(id=purged.id).update(deleted_at=PURGING)
    Message.objects.filter(content="secret").update(deleted_at=PURGING, content="")
    assert [contents(line) for line in export_conversations(as_alice)] == [["kept"]]


def test_an_export_has_only_the_conversations_of_the_caller(as_alice: ApiClient, bob: User) -> None:
    create_conversation(bob, "Bob's own")
    assert export_conversations(as_alice) == []
    assert [contents(line) for line in export_conversations(ApiClient(bob))] == [["Bob's own"]]


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "CONVERSATIONS_PER_BATCH", 3)
    monkeypatch.setattr(archive, "MESSAGES_PER_BATCH", 4)


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("lengths", [[0], [4], [8], [0, 0, 0], [3, 0, 1, 9, 0, 4, 4], [1] * 9, [0] * 7, [5, 0, 0, 3]])
def test_batches_export_every_message_once(lengths: list[int], as_alice: ApiClient, alice: User) -> None:
    texts = [[f"{index}-{step}" for step in range(length)] for index, length in enumerate(lengths)]
    for contents_of_one in texts:
        create_conversation(alice, *contents_of_one)
    assert [contents(line) for line in export_conversations(as_alice)] == texts[::-1]


@pytest.mark.parametrize("rows", [1, 60])
def test_a_batch_is_read_with_two_statements_for_any_number_of_rows(rows: int, alice: User) -> None:
    for _ in range(rows):
        create_conversation(alice, "Hi")
    with executed_statements() as statements:
        assert len(b"".join(archive.stream(user=alice, account=b"{}")))
    assert statements == ["SELECT", "SELECT"]


def test_only_one_batch_is_read_before_its_first_piece_is_sent(alice: User, small_batches: None) -> None:
    for _ in range(9):
        create_conversation(alice, *["x" * 200_000] * 4)
    with executed_statements() as statements:
        stream = archive.stream(user=alice, account=b"{}")
        next(stream), next(stream)
        assert statements == ["SELECT", "SELECT"]
        stream.close()


@pytest.mark.django_db(transaction=True)
def test_no_database_connection_is_open_while_the_client_reads(alice: User) -> None:
    for _ in range(3):
        create_conversation(alice, "x" * 200_000)
    stream: Iterator[bytes] = archive.stream(user=alice, account=b"{}")
    for _ in stream:
        assert connection.connection is None


# --- Import of an export ------------------------------------------------------------------------------


def load(lines: list[Any], folder: Path, user: User) -> str:
    path, out = folder / "conversations.jsonl", io.StringIO()
    path.write_text("\n".join(map(json.dumps, lines)))
    with suppress(CommandError):
        call_command("loadconversations", str(path), f"--user={user.email}", stdout=out, stderr=out)
    return out.getvalue()


NOT_LOADED = {"id", "conversation_id", "external_id", "updated_at", "reactions"}


def test_an_export_is_loaded_with_all_branches(alice: User, as_alice: ApiClient, tmp_path: Path) -> None:
    drafts = dialogue("Hi", "Hello", "Well?")
    drafts[1] |= {"model": "m", "reasoning": "r", "prompt_tokens": 3, "usage": {"a": 1}, "status": "incomplete"}
    fields = {"title": "Zebras", "tags": ["a"], "metadata": {"k": 1}, "is_pinned": True, "is_archived": True}
    chat, _ = conversations.create(user=alice, fields=fields, drafts=drafts)
    branches.branch(user=alice, message_id=message_with_text(chat, "Well?").id, changes={"content": "And?"})
    branches.branch(user=alice, message_id=message_with_text(chat, "Hi").id, changes={"content": "Good evening"})
    branches.switch(user=alice, conversation_id=chat.id, message_id=message_with_text(chat, "Well?").id)
    trashed = create_conversation(alice, "trashed")
    conversations.trash(user=alice, conversation_id=trashed.id)
    before = export_conversations(as_alice)
    ada = create_user("Ada")
    assert load(before, tmp_path, ada) == "conversations.jsonl: 1 loaded, 0 already stored, 0 failed\n"
    assert load(before, tmp_path, ada) == "conversations.jsonl: 0 loaded, 1 already stored, 0 failed\n"

    (copy,) = export_conversations(ApiClient(ada))
    original = next(line for line in before if line["id"] == str(chat.id))
    sent = original.pop("messages")
    assert [message["is_active"] for message in sent] == [True, True, True, False, False]
    assert [message.pop("external_id") for message in copy["messages"]] == [message["id"] for message in sent]
    assert copy.pop("external_id") == original["id"]
    expected = [{name: value for name, value in message.items() if name not in NOT_LOADED} for message in sent]
    assert [{name: message[name] for name in expected[0]} for message in copy.pop("messages")] == expected
    for name in (
        "title",
        "tags",
        "notebooks",
        "metadata",
        "model",
        "is_pinned",
        "archived_at",
        "created_at",
        "preview",
        "message_count",
        "prompt_tokens",
    ):
        assert copy[name] == original[name], name


def test_an_answer_to_a_trashed_message_is_loaded_below_the_nearest_live_ancestor(
    alice: User, as_alice: ApiClient, tmp_path: Path
) -> None:
    chat = create_conversation(alice, "a", "b", "c")
    messages.trash(user=alice, message_id=message_with_text(chat, "b").id)
    ada = create_user("Ada")
    load(export_conversations(as_alice), tmp_path, ada)
    (copy,) = export_conversations(ApiClient(ada))
    assert [(m["seq"], m["parent_seq"], m["content"]) for m in copy["messages"]] == [(1, None, "a"), (2, 1, "c")]


def test_a_conversation_without_an_active_path_is_loaded_without_one(
    alice: User, as_alice: ApiClient, tmp_path: Path
) -> None:
    chat = create_conversation(alice, "a", "b")
    sync(user=alice, conversation_id=chat.id, drafts=[])
    ada = create_user("Ada")
    load(export_conversations(as_alice), tmp_path, ada)
    copy = Conversation.objects.get(user=ada)
    assert (copy.tip_seq, copy.message_count, copy.last_seq, copy.messages.count()) == (None, 0, 2, 2)
    assert_consistent(copy, list(copy.messages.order_by("seq")))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"created_at": "2026-11-22"}, "created_at"),
        ({"created_at": "9999-01-01T00:00:00Z"}, "created_at"),
        ({"created_at": "0001-01-01T00:00:00+23:59"}, "created_at"),
        ({"created_at": 5}, "created_at"),
        ({"created_at": None}, "created_at"),
        ({"is_pinned": 1}, "is_pinned"),
        ({"is_pinned": None}, "is_pinned"),
        ({"archived_at": True}, "archived_at"),
        ({"messages": [{"role": "user", "content": "x", "prompt_tokens": -1}]}, "messages[0].prompt_tokens"),
        ({"messages": [{"role": "user", "content": "x", "prompt_tokens": True}]}, "messages[0].prompt_tokens"),
        ({"messages": [{"role": "user", "content": "x", "prompt_tokens": 2**31}]}, "messages[0].prompt_tokens"),
        ({"messages": [{"role": "user", "content": "x", "usage": []}]}, "messages[0].usage"),
        ({"messages": [{"role": "user", "content": "x", "status": "gone"}]}, "messages[0].status"),
        ({"messages": [{"role": "user", "content": "x", "created_at": "x"}]}, "messages[0].created_at"),
        ({"messages": [{"role": "user", "content": "x", "is_active": False}, {"role": "x"}]}, "messages[1].role"),
        ({"messages": [{"role": "user", "content": "x", "seq": 1, "parent_seq": 1}]}, "messages[0].parent_seq"),
        ({"messages": [{"role": "user", "content": "x", "seq": 1, "parent_seq": [1]}]}, "messages[0].parent_seq"),
        ({"messages": [{"role": "user", "content": "x", "seq": True, "parent_seq": None}]}, "messages[0].parent_seq"),
        ({"messages": [{"role": "user", "content": "x", "seq": 1, "parent_seq": None}] * 2}, "messages[1].parent_seq"),
    ],
)
def test_a_line_with_an_invalid_value_is_refused_with_its_field(
    change: Any, field: str, tmp_path: Path, alice: User
) -> None:
    assert f"jsonl:1: {field}: " in load([{"title": "x"} | change], tmp_path, alice)
    assert not Conversation.objects.exists()
