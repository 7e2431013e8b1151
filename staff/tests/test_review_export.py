"""The export of what staff have reviewed, as JSON Lines of verdicts and for fine-tuning."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from conversations.models import Conversation, Message
from conversations.services import branches, conversations, messages
from staff.models import AuditEvent, Label, Review
from staff.review import export
from testing.admin import allow, audited
from testing.api_client import ApiClient
from testing.cast import create_conversation, dialogue, message_draft
from testing.statements import executed_statements

EXPORT = "/admin/review/export/"


def judge(client: Client, chat: Conversation, seq: int, label: Label) -> None:
    client.post(reverse("admin:review_verdict", args=[chat.pk, seq]), {"verdict": label.pk})


def download(client: Client, **query: Any) -> list[Any]:
    answer = client.get(EXPORT, {"form": "jsonl", **query})
    assert answer.headers["Content-Type"] == "application/jsonl"
    return [json.loads(line) for line in answer.getvalue().splitlines()]


@pytest.fixture
def chat(alice: User) -> Conversation:
    return create_conversation(alice, "How much is it?", "Nothing.", "Really?", "Yes.")


def test_a_line_has_the_verdict_the_notes_and_the_text_of_the_message(
    client: Client, carla: User, chat: Conversation, labels: dict[str, Label]
) -> None:
    judge(client, chat, 2, labels["Wrong facts"])
    client.post(reverse("admin:review_note", args=[chat.pk, 2]), {"text": "It costs 5 €."})
    client.post(reverse("admin:review_note", args=[chat.pk, 0]), {"text": "about all"})
    [line] = download(client)
    message, review = chat.messages.get(seq=2), Review.objects.get()
    [note] = line.pop("notes")
    assert (note["by"], note["text"]) == (str(carla.pk), "It costs 5 €.")
    assert line == {
        "conversation_id": str(chat.pk),
        "message_id": str(message.pk),
        "seq": 2,
        "verdict": "Wrong facts",
        "by": str(carla.pk),
        "at": review.done_at.isoformat().replace("+00:00", "Z"),  # type: ignore[union-attr]
        "role": "assistant",
        "model": "",
        "text": "Nothing.",
    }


def test_a_verdict_on_a_conversation_has_no_message(
    client: Client, carla: User, chat: Conversation, labels: dict[str, Label]
) -> None:
    judge(client, chat, 0, labels["Good"])
    [line] = download(client)
    assert (line["message_id"], line["seq"], line["verdict"]) == (None, None, "Good") and "text" not in line


def test_the_messages_before_are_an_option(
    client: Client, carla: User, chat: Conversation, labels: dict[str, Label]
) -> None:
    judge(client, chat, 3, labels["Good"])
    [line] = download(client, context="on")
    assert line["before"] == [
        {"seq": 1, "role": "user", "content": "How much is it?"},
        {"seq": 2, "role": "assistant", "content": "Nothing."},
    ]


def test_the_fine_tuning_format_has_the_messages_up_to_the_judged_one(
    client: Client, carla: User, chat: Conversation, labels: dict[str, Label]
) -> None:
    judge(client, chat, 2, labels["Good"])
    judge(client, chat, 3, labels["Good"])  # of the user
    judge(client, chat, 4, labels["Bad"])
    assert download(client, form="chat", label=labels["Good"].pk) == [
        {"messages": [{"role": "user", "content": "How much is it?"}, {"role": "assistant", "content": "Nothing."}]}
    ]


def test_the_fine_tuning_format_follows_the_branch_of_the_message(
    client: Client, carla: User, chat: Conversation, labels: dict[str, Label], alice: User
) -> None:
    first = chat.messages.get(seq=1)
    branches.branch(user=alice, message_id=first.id, changes={"content": "other"})
    judge(client, chat, 4, labels["Good"])
    [line] = download(client, form="chat", label=labels["Good"].pk)
    assert [row["content"] for row in line["messages"]] == ["How much is it?", "Nothing.", "Really?", "Yes."]


def test_the_fine_tuning_format_reads_texts_from_parts_and_leaves_out_messages_without_text(
    client: Client, carla: User, labels: dict[str, Label], alice: User
) -> None:
    drafts = [
        message_draft(None, parts=[{"type": "text", "text": "Look"}]),
        message_draft(None, "assistant", tool_calls=[{"id": "c", "function": {"name": "f", "arguments": "{}"}}]),
        message_draft("found", "tool", tool_call_id="c"),
        message_draft("Here", "assistant"),
    ]
    chat, _ = conversations.create(user=alice, fields={}, drafts=drafts)
    judge(client, chat, 2, labels["Good"])
    judge(client, chat, 4, labels["Good"])
    assert download(client, form="chat", label=labels["Good"].pk) == [
        {"messages": [{"role": "user", "content": "Look"}, {"role": "assistant", "content": "Here"}]}
    ]


def test_the_fine_tuning_format_needs_a_label(client: Client, carla: User) -> None:
    page = client.get(EXPORT, {"form": "chat"}, follow=True)
    assert "Choose the label of the messages from which a model should learn." in page.text
    assert not AuditEvent.objects.filter(action="export").exists()


def test_an_export_is_filtered_by_label_and_period(
    client: Client, carla: User, chat: Conversation, labels: dict[str, Label]
) -> None:
    judge(client, chat, 2, labels["Good"])
    judge(client, chat, 4, labels["Bad"])
    client.post(reverse("admin:review_verdict", args=[chat.pk, 1]), {"verdict": "looked_at"})
    Review.objects.filter(label=labels["Bad"]).update(done_at="2026-02-28T23:59:59Z")
    assert [line["verdict"] for line in download(client)] == ["Good", "Bad"]
    assert [line["verdict"] for line in download(client, label=labels["Good"].pk)] == ["Good"]
    assert [line["verdict"] for line in download(client, since="2026-02-28", until="2026-02-28")] == ["Bad"]
    assert [line["verdict"] for line in download(client, since="2026-03-01")] == ["Good"]


def test_a_day_after_which_there_is_no_day_is_refused(client: Client, carla: User) -> None:
    assert client.get(EXPORT, {"form": "jsonl", "until": "9999-12-31"}).url == reverse("admin:review")


def test_an_export_leaves_out_what_is_in_the_trash(
    client: Client, carla: User, chat: Conversation, labels: dict[str, Label], alice: User
) -> None:
    other = create_conversation(alice, "one", "two")
    judge(client, chat, 4, labels["Good"])
    judge(client, other, 2, labels["Good"])
    messages.trash(user=alice, message_id=chat.messages.get(seq=4).id)
    conversations.trash(user=alice, conversation_id=other.pk)
    assert download(client) == []


def test_an_export_is_an_event_of_the_audit(client: Client, carla: User, labels: dict[str, Label]) -> None:
    download(client, label=labels["Good"].pk)
    event = AuditEvent.objects.get(action="export")
    assert (event.actor, event.object_type) == (carla.pk, "staff.review")
    assert event.details == {"filters": ["form=jsonl", f"label={labels['Good'].pk}"]}


def test_the_audit_has_each_conversation_of_an_export(
    client: Client, carla: User, labels: dict[str, Label], chat: Conversation, as_alice: ApiClient, settings: Any
) -> None:
    settings.SHOW_AUDIT_TO_USERS = True
    settings.ADMIN_REQUIRE_REASON = True
    judge(client, chat, 2, labels["Good"])
    judge(client, chat, 4, labels["Good"])
    download(client, reason="An evaluation.")
    export = AuditEvent.objects.get(action="export", object_type="staff.review")
    assert audited(chat) == [("export", {"export": str(export.pk)})]
    [seen] = as_alice("GET", "me/audit/")["results"]
    assert (seen["action"], seen["conversation_id"], seen["reason"]) == ("export", str(chat.pk), "An evaluation.")


def test_an_export_needs_a_reason_where_reasons_are_asked_for(client: Client, carla: User, settings: Any) -> None:
    settings.ADMIN_REQUIRE_REASON = True
    assert client.get(EXPORT, {"form": "jsonl"}).status_code == 302
    download(client, reason="An evaluation.")
    assert AuditEvent.objects.get(action="export").reason == "An evaluation."


def test_an_export_needs_the_rights_to_review_and_to_see_messages(client: Client, sam: User) -> None:
    allow(sam, "view_review", "change_review", "view_conversation")
    client.force_login(sam)
    assert client.get(EXPORT, {"form": "jsonl"}).status_code == 403
    assert "Export what was reviewed" not in client.get("/admin/review/").text


def test_a_long_export_is_sent_in_batches(
    client: Client, carla: User, labels: dict[str, Label], alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "BATCH", 2)
    chat, _ = conversations.create(user=alice, fields={}, drafts=dialogue(*"abcde"))
    for seq in range(1, 6):
        judge(client, chat, seq, labels["Good"])
    assert [line["seq"] for line in download(client)] == [1, 2, 3, 4, 5]
    lines = export.verdict_lines(export.select(None, None, None), len, with_context=False)
    with executed_statements() as verbs:
        next(lines)
    assert len(verbs) == 4  # the reviews of a batch, their notes, and two for the text of a message


def test_the_texts_before_a_message_are_bounded(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "CONTEXT_CHARACTERS", 10)
    chat = create_conversation(alice, "x" * 8, "yyy", "zzz", "w" * 5)
    last = chat.messages.get(seq=4)
    assert [row["seq"] for row in export.read_path(last, 10)] == [3, 4]
    Message.objects.filter(pk=last.pk).update(content="w" * 50)
    assert [row["seq"] for row in export.read_path(last, 10)] == [4]
