"""The export of one conversation, and of several, as JSON Lines, JSON, CSV, Markdown and HTML."""

import csv
import io
import json
from typing import Any

import pytest

from accounts.models import User
from conversations.models import Conversation
from conversations.services import branches, conversations, messages
from testing.api_client import ApiClient
from testing.cast import create_conversation, message_draft, message_with_text
from testing.statements import executed_statements
from transfer.exporters import archive
from transfer.exporters import conversations as exporter


@pytest.fixture
def chat(alice: User) -> Conversation:
    call = {"id": "1", "type": "function", "function": {"name": "look_up", "arguments": '{"id": 7}'}}
    drafts = [
        message_draft("Where is <my> order?"),
        message_draft(None, "assistant", model="m", tool_calls=[call]),
        message_draft("=HYPERLINK(1)", "tool", tool_call_id="1"),
        message_draft(None, "assistant", model="m", parts=[{"type": "text", "text": "On its way."}]),
    ]
    chat, _ = conversations.create(user=alice, fields={"title": "An <order>"}, drafts=drafts)
    return chat


def export(caller: ApiClient, chat: Conversation, format: str) -> str:
    caller("GET", f"conversations/{chat.id}/export/?format={format}")
    return caller.content.decode()


def rows(caller: ApiClient, chat: Conversation) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(export(caller, chat, "csv"))))


@pytest.mark.parametrize(
    ("format", "media_type", "extension"),
    [
        ("jsonl", "application/jsonl", "jsonl"),
        ("json", "application/json", "json"),
        ("csv", "text/csv; charset=utf-8", "csv"),
        ("markdown", "text/markdown; charset=utf-8", "md"),
        ("html", "text/html; charset=utf-8", "html"),
    ],
)
def test_each_format_is_an_attachment(
    format: str, media_type: str, extension: str, as_either: ApiClient, chat: Conversation
) -> None:
    export(as_either, chat, format)
    headers = as_either.answer.headers
    assert headers["Content-Type"] == media_type
    assert headers["Content-Disposition"] == f'attachment; filename="conversation-{chat.id}.{extension}"'
    assert headers["Cache-Control"] == "no-store"


def test_json_has_the_messages_of_all_branches(as_alice: ApiClient, chat: Conversation) -> None:
    first = message_with_text(chat, "Where is <my> order?")
    branches.branch(user=chat.user, message_id=first.id, changes={"content": "Cancel it."})
    line: Any = json.loads(export(as_alice, chat, "jsonl"))
    assert (line["id"], len(line["messages"])) == (str(chat.id), 5)
    assert json.loads(export(as_alice, chat, "json")) == [line]


def test_csv_has_the_shown_messages_and_no_formulas(as_alice: ApiClient, chat: Conversation) -> None:
    assert [(row["role"], row["content"]) for row in rows(as_alice, chat)] == [
        ("user", "Where is <my> order?"),
        ("assistant", '[look_up({"id": 7})]'),
        ("tool", "'=HYPERLINK(1)"),
        ("assistant", "On its way."),
    ]


def test_hidden_and_trashed_messages_are_only_in_json(as_alice: ApiClient, chat: Conversation) -> None:
    messages.trash(user=chat.user, message_id=message_with_text(chat, "=HYPERLINK(1)").id)
    branches.branch(user=chat.user, message_id=message_with_text(chat, "Where is <my> order?").id, changes={})
    for format in ("csv", "markdown", "html"):
        text = export(as_alice, chat, format)
        assert "my" in text and "HYPERLINK" not in text and "On its way" not in text
    assert "HYPERLINK" in export(as_alice, chat, "jsonl")


def test_markdown_has_a_heading_for_each_message(as_alice: ApiClient, chat: Conversation) -> None:
    lines = export(as_alice, chat, "markdown").splitlines()
    assert lines[0] == "# An <order>"
    assert [line.split(" · ")[0] for line in lines if line.startswith("## ")] == [
        "## user", "## assistant", "## tool", "## assistant"
    ]  # fmt: skip


def test_html_escapes_what_users_wrote(as_alice: ApiClient, chat: Conversation) -> None:
    messages.append(user=chat.user, conversation_id=chat.id, drafts=[message_draft("<script>alert(1)</script>")])
    page = export(as_alice, chat, "html")
    assert "<script>" not in page and "&lt;script&gt;alert(1)" in page
    assert "<h1 dir=auto>An &lt;order&gt;</h1>" in page


def test_an_empty_conversation_can_be_exported(as_alice: ApiClient, alice: User) -> None:
    empty = create_conversation(alice, title="Nothing yet")
    assert json.loads(export(as_alice, empty, "jsonl"))["messages"] == []
    assert rows(as_alice, empty) == []
    assert "Nothing yet" in export(as_alice, empty, "markdown")


def test_a_stranger_gets_a_404(as_bob: ApiClient, chat: Conversation) -> None:
    assert as_bob.refusal("GET", f"conversations/{chat.id}/export/", status=404) == ("not_found", None)


def test_an_unknown_format_is_refused(as_alice: ApiClient, chat: Conversation) -> None:
    path = f"conversations/{chat.id}/export/?format=docx"
    assert as_alice.refusal("GET", path, status=400) == ("invalid", "format")


def test_messages_are_read_in_batches(as_alice: ApiClient, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MESSAGES_PER_BATCH", 10)
    chat = create_conversation(alice, *map(str, range(45)))
    with executed_statements() as statements:
        assert [row["content"] for row in rows(as_alice, chat)] == list(map(str, range(45)))
    assert 5 <= len(statements) <= 10


# Several conversations


def test_the_filters_of_the_list_select_the_conversations(as_either: ApiClient, alice: User, bob: User) -> None:
    for title, tags in [("First", ["a"]), ("Second", ["a", "b"]), ("Third", ["b"])]:
        conversations.create(user=alice, fields={"title": title, "tags": tags}, drafts=[message_draft("Hi")])
    create_conversation(bob, "mine", title="Bob's")
    trashed = create_conversation(alice, "old", title="Trashed")
    conversations.trash(user=alice, conversation_id=trashed.id)

    def titles(query: str) -> list[str]:
        assert as_either.status_of("GET", f"conversations/export/?{query}") == 200
        return [json.loads(line)["title"] for line in as_either.text.splitlines()]

    assert titles("") == ["Third", "Second", "First"]
    assert titles("tag=a&format=jsonl") == ["Second", "First"]
    assert titles("trashed=true") == ["Trashed"]
    assert as_either.answer.headers["Content-Disposition"].startswith('attachment; filename="conversations-')


@pytest.mark.parametrize("format", ["jsonl", "json", "csv", "markdown", "html"])
def test_each_format_can_have_several_conversations(format: str, as_alice: ApiClient, alice: User) -> None:
    for title in ("First", "Second"):
        create_conversation(alice, f"Hello, {title}", title=title)
    assert as_alice.status_of("GET", f"conversations/export/?format={format}") == 200
    assert as_alice.text.index("Hello, Second") < as_alice.text.index("Hello, First")
    if format == "json":
        assert [row["title"] for row in json.loads(as_alice.text)] == ["Second", "First"]


def test_a_wrong_filter_or_format_of_an_export_is_refused(as_alice: ApiClient) -> None:
    assert as_alice.refusal("GET", "conversations/export/?colour=red", status=400) == ("invalid", "colour")
    assert as_alice.refusal("GET", "conversations/export/?limit=3", status=400) == ("invalid", "limit")
    assert as_alice.refusal("GET", "conversations/export/?format=docx", status=400) == ("invalid", "format")


def test_conversations_are_read_in_batches(as_alice: ApiClient, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporter, "CONVERSATIONS_PER_BATCH", 2)
    for number in range(5):
        create_conversation(alice, title=str(number))
    assert as_alice.status_of("GET", "conversations/export/") == 200
    assert [json.loads(line)["title"] for line in as_alice.text.splitlines()] == ["4", "3", "2", "1", "0"]
