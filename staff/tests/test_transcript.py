"""The page on which staff read a conversation: pages of messages, branches, tool calls, and the parts of messages."""

import base64
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from conversations.models import Conversation, Message
from conversations.services import branches, conversations, messages, reactions
from staff.transcript import branches as staff_branches
from staff.transcript import page as transcript
from testing.admin import allow, audited, list_of, page_of
from testing.cast import create_conversation, dialogue, message_draft, message_with_text, stored_rows
from testing.statements import executed_sql, executed_statements

PIXEL = "data:image/png;base64,iVBORw0KGgo="
LARGE = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"x" * 30_000).decode()


def create(user: User, *drafts: Any) -> Conversation:
    return conversations.create(user=user, fields={"title": "Notes"}, drafts=drafts)[0]


def shown(client: Client, conversation: Conversation, query: str = "") -> list[str]:
    page = client.get(page_of(conversation) + query)
    return [message.text for message in page.context["transcript"].messages]


def one_space(text: str) -> str:
    return " ".join(text.split())


# Messages


def test_a_transcript_has_the_messages_of_the_active_path_in_order(client: Client, root: User, alice: User) -> None:
    conversation = create_conversation(alice, "one", "two", "three")
    branches.branch(user=alice, message_id=message_with_text(conversation, "three").id, changes={"content": "other"})
    assert shown(client, conversation) == ["one", "two", "other"]
    assert f"{list_of(Message)}?conversation={conversation.pk}" in client.get(page_of(conversation)).text


def test_a_message_shows_its_text_and_what_is_known_about_it(client: Client, root: User, alice: User) -> None:
    answer = message_draft(
        "It is **sun**",
        "assistant",
        model="gpt-4o",
        prompt_tokens=1234,
        completion_tokens=0,
        status="failed",
        error="cut <off>",
        finish_reason="length",
        reasoning="Let me look.",
    )
    conversation = create(alice, message_draft("Be brief.", "system"), message_draft("How is it?"), answer)
    reactions.react(user=alice, message_id=conversation.messages.get(seq=3).id, type="thumbs_down")
    text = one_space(client.get(page_of(conversation)).text)
    assert re.findall('class="message (.*?)"', text) == ["system", "user", "assistant"]
    assert "It is <strong>sun</strong>" in text and "cut &lt;off&gt;</p>" in text
    assert "gpt-4o" in text and "1,234 in, 0 out" in text and "length" in text and "👎 thumbs_down" in text
    assert '<span class="problem">Failed</span>' in text
    assert "<details><summary>Reasoning</summary>" in text and "Let me look." in text
    assert "Structured content" not in text and "Tool call" not in text
    assert "?at=3#message-3" in text and page_of(conversation.messages.get(seq=3), "json") in text


def test_a_call_of_a_tool_contains_its_result_and_its_duration(client: Client, root: User, alice: User) -> None:
    start = timezone.now() - timedelta(hours=1)
    calls = [
        {"id": name, "function": {"name": name, "arguments": '{"q": "北京"}'}} for name in ("search", "sum", "lost")
    ]
    conversation = create(
        alice,
        message_draft(None, "assistant", tool_calls=calls, created_at=start),
        message_draft('{"a":1}', "tool", tool_call_id="search", created_at=start + timedelta(seconds=1.5)),
        message_draft("no", "tool", tool_call_id="sum", status="failed", created_at=start),
        message_draft("a stray result", "tool", tool_call_id="unknown"),
    )
    page = client.get(page_of(conversation))
    caller, stray = page.context["entries"]
    assert [(call.name, call.duration, call.has_problem, len(call.results)) for call in caller.calls] == [
        ("search", "1.5 s", False, 1),
        ("sum", "", True, 1),
        ("lost", "", False, 0),
    ]
    assert stray.message.seq == 4 and "a stray result" in page.text
    assert "北京" in page.text and "{\n  &quot;a&quot;: 1\n}" in page.text and 'id="message-2"' in page.text


def test_parts_show_small_images_and_placeholders_for_everything_else(client: Client, root: User, alice: User) -> None:
    parts = [
        {"type": "text", "text": "And this?"},
        {"type": "image_url", "image_url": {"url": PIXEL}},
        {"type": "image_url", "image_url": {"url": LARGE}},
        {"type": "image_url", "image_url": {"url": "https://elsewhere.example/a.png"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/svg+xml", "data": "PHN2Zz4="}},
        {"type": "input_image", "image_url": "data:image/png;base64,PHN2Zz4="},
        {"type": "file", "file": {"filename": "report.pdf", "file_data": "data:application/pdf;base64,AAAA"}},
        {"type": "tool-weather", "state": "output-available", "input": {"city": "Oslo"}, "output": "rain"},
        {"type": "reasoning", "text": "A thought."},
        {"type": "<b>odd</b>"},
        5,
    ]
    conversation = create(alice, message_draft(None, parts=parts))
    page = client.get(page_of(conversation))
    [entry] = page.context["entries"]
    assert entry.message.text == "And this?"
    assert [(piece.kind, piece.name) for piece in entry.pieces] == [
        *[("image", "")] * 5,
        ("file", "report.pdf"),
        ("tool", "weather"),
        ("reasoning", ""),
        ("json", "<b>odd</b>"),
        ("json", "JSON"),
    ]
    assert re.findall("<img src=.*?>", page.text) == [f'<img src="{PIXEL}" alt="Image">']
    assert "application/pdf · 3 bytes" in page.text and "image/png · 40 kB" in page.text
    assert "Oslo" in page.text and "rain" in page.text and "<b>odd" not in page.text

    number = parts.index(parts[2]) + 1
    message = page_of(conversation.messages.get())
    answer = client.get(message.replace("change", f"image/{number}"))
    assert answer.headers["Content-Type"] == "image/png" and len(answer.content) == 30_008
    assert audited(conversation.messages.get())[-1][0] == "read_message"
    for other in (0, 1, 4, 5, 6, 7, 11, 12, 10**20):
        assert client.get(message.replace("change", f"image/{other}")).status_code == 404


def test_text_of_parts_that_the_content_does_not_contain_is_shown(client: Client, root: User, alice: User) -> None:
    parts = [{"type": "text", "text": "short"}, {"type": "text", "text": "another"}]
    conversation = create(alice, message_draft("A short text", parts=parts))
    [entry] = client.get(page_of(conversation)).context["entries"]
    assert [piece.text for piece in entry.pieces] == ["another"]


def test_a_very_long_text_is_cut_in_the_transcript_and_complete_on_the_page_of_the_message(
    client: Client, root: User, alice: User
) -> None:
    conversation = create_conversation(alice, "x" * 500_000 + "the end")
    page = client.get(page_of(conversation)).text
    assert len(page) < 100_000 and "is cut here" in page and "the end" not in page
    whole = client.get(page_of(conversation.messages.get())).text
    assert "the end" in whole


# Pages


def test_a_long_transcript_has_several_pages(client: Client, root: User, alice: User) -> None:
    conversation, _ = conversations.create(user=alice, fields={}, drafts=dialogue(*map(str, range(1, 126))))
    messages.trash(user=alice, message_id=message_with_text(conversation, "75").id)

    def page(query: str) -> tuple[str, str, set[str]]:
        answer = client.get(f"{page_of(conversation)}{query}")
        texts = [message.text for message in answer.context["transcript"].messages]
        links = {link for link in ("First", "Earlier", "Later", "Last") if f"{link} messages" in answer.text}
        assert len(texts) <= transcript.PAGE
        return texts[0], texts[-1], links

    assert page("") == ("1", "50", {"First", "Later", "Last"})
    assert page("?after=50") == ("51", "101", {"First", "Earlier", "Later", "Last"})
    assert page("?after=101") == ("102", "125", {"First", "Earlier", "Last"})
    assert page("?before=126") == ("76", "125", {"First", "Earlier", "Last"})
    assert page("?before=77") == ("26", "76", {"First", "Earlier", "Later", "Last"})
    assert page("?before=51") == ("1", "50", {"First", "Later", "Last"})
    assert "OFFSET" not in str(transcript.readable(conversation.messages.shown())[:100].query)


def test_a_link_to_a_message_opens_the_page_with_it_and_with_what_was_said_before(
    client: Client, root: User, alice: User
) -> None:
    conversation = create_conversation(alice, *map(str, range(1, 201)))
    assert shown(client, conversation, "?at=150") == [str(number) for number in range(130, 200)]
    assert shown(client, conversation, "?at=3")[0] == "1"
    conversation = create_conversation(alice, *[f"{number} " + "x" * 9_000 for number in range(1, 21)])
    assert [text.split()[0] for text in shown(client, conversation, "?at=10")] == ["9", "10", "11", "12"]


@pytest.mark.parametrize("query", ["?after=x", "?after=-5", "?before=0", "?after=&before=", "?at=x", "?branch=x"])
def test_an_invalid_position_shows_the_first_page(client: Client, root: User, alice: User, query: str) -> None:
    assert len(shown(client, create_conversation(alice, "one", "two"), query)) == 2


@pytest.mark.parametrize("query", ["?after=9", "?after=99999999999999999999", "?at=99999999999999999999"])
def test_a_position_beyond_the_end_shows_no_messages(client: Client, root: User, alice: User, query: str) -> None:
    conversation = create_conversation(alice, "one")
    page = client.get(page_of(conversation) + query)
    assert "There are no messages here." in page.text or "The message of this link is not here" in page.text


def test_a_fragment_has_only_messages(client: Client, root: User, alice: User) -> None:
    conversation = create_conversation(alice, *map(str, range(60)))
    fragment = client.get(page_of(conversation) + "?after=50&fragment").text
    assert fragment.count("<article") == 10 and "<html" not in fragment and "Earlier messages" in fragment


def test_a_full_page_needs_as_many_statements_as_a_short_one(client: Client, root: User, alice: User) -> None:
    short, long = create_conversation(alice, "one", "two"), create_conversation(alice, *map(str, range(300)))
    for conversation in (short, long):
        question = conversation.messages.order_by("seq").first()
        branches.branch(user=alice, message_id=question.id, changes={"content": "other"})
        branches.switch(user=alice, conversation_id=conversation.id, message_id=question.id)
    for query in ("", "?after=100", "?before=250", "?at=2"):
        counts = []
        for conversation in (short, long):
            client.get(page_of(conversation) + query)
            with executed_statements() as verbs:
                client.get(page_of(conversation) + query)
            counts.append(len(verbs))
        assert counts[0] == counts[1] <= 9, query


# Branches


@pytest.fixture
def branched(alice: User) -> Conversation:
    """A conversation whose messages have these numbers: 1 → 2 → 3, 1 → 4 → 5 and 1 → 4 → 6. The user sees 1, 2, 3."""
    conversation = create_conversation(alice, "one", "two", "three")
    two = message_with_text(conversation, "two")
    branches.branch(user=alice, message_id=two.id, changes={"content": "four"})
    messages.append(user=alice, conversation_id=conversation.id, drafts=[message_draft("five")])
    branches.branch(user=alice, message_id=message_with_text(conversation, "five").id, changes={"content": "six"})
    branches.switch(user=alice, conversation_id=conversation.id, message_id=two.id)
    conversation.refresh_from_db()
    return conversation


def test_an_alternative_shows_the_branch_through_it_and_changes_nothing(
    client: Client, root: User, branched: Conversation
) -> None:
    before = stored_rows(branched)
    assert shown(client, branched, "?at=2") == shown(client, branched) == ["one", "two", "three"]
    assert shown(client, branched, "?at=4") == ["one", "four", "six"]
    assert shown(client, branched, "?at=5") == ["one", "four", "five"]
    page = client.get(page_of(branched) + "?at=5").text
    assert "You see another branch than the user." in page
    assert "?at=2#message-2" in page and "?at=6#message-6" in page and "1/2" in page and "2/2" in page
    assert stored_rows(branched) == before


def test_pages_of_another_branch_stay_in_it(client: Client, root: User, alice: User) -> None:
    conversation = create_conversation(alice, "one", "two")
    branches.branch(user=alice, message_id=message_with_text(conversation, "two").id, changes={"content": "three"})
    texts = [str(number) for number in range(100)]
    messages.append(user=alice, conversation_id=conversation.id, drafts=dialogue(*texts))
    branches.switch(user=alice, conversation_id=conversation.id, message_id=message_with_text(conversation, "two").id)
    seen, query = [], "?at=3"
    while query:
        page = client.get(page_of(conversation) + query).text
        seen += [text for text in shown(client, conversation, query) if text not in seen]
        link = re.search('rel="next" href="(.*?)"', page)
        query = link[1].replace("&amp;", "&") if link else ""
    assert seen == ["one", "three", *texts]
    assert shown(client, conversation, "?before=60&branch=3")[-1] == "55"


def test_the_tree_of_branches_shows_where_a_conversation_forks(
    client: Client, root: User, branched: Conversation
) -> None:
    [fork] = client.get(page_of(branched)).context["forks"]
    assert fork.parent_seq == 1
    assert [(choice.seq, choice.excerpt, choice.is_shown) for choice in fork.alternatives] == [
        (2, "two", True),
        (4, "four", False),
    ]
    [inner] = fork.alternatives[1].forks
    assert [choice.seq for choice in inner.alternatives] == [5, 6] and not fork.alternatives[0].forks


def test_the_answers_to_a_trashed_message_take_its_place(
    client: Client, root: User, alice: User, branched: Conversation
) -> None:
    messages.trash(user=alice, message_id=message_with_text(branched, "four").id)
    [fork] = client.get(page_of(branched)).context["forks"]
    assert [choice.seq for choice in fork.alternatives] == [2, 5, 6]
    assert shown(client, branched, "?at=6") == ["one", "six"]
    assert "The message of this link is not here" in client.get(page_of(branched) + "?at=4").text


def test_a_conversation_without_branches_needs_no_statement_for_them(client: Client, root: User, alice: User) -> None:
    conversation = create_conversation(alice, "one", "two")
    with executed_sql() as statements:
        client.get(page_of(conversation))
    assert not [sql for sql in statements if '"parent_seq", "message"."is_active", "message"."deleted_at"' in sql]


def test_the_branches_of_a_very_long_conversation_are_not_read(
    client: Client, root: User, branched: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("branches", "reading"):
        monkeypatch.setattr(f"staff.transcript.{module}.MOST_MESSAGES", 3)
    page = client.get(page_of(branched)).text
    assert "too long to show its branches" in page and "?at=4" not in page
    assert "The message of this link is not here" in client.get(page_of(branched) + "?at=4").text


def test_the_tree_of_branches_has_a_limited_size(client: Client, root: User, alice: User) -> None:
    conversation = create_conversation(alice, *map(str, range(30)))
    for message in conversation.messages.order_by("-seq")[:25]:
        branches.branch(user=alice, message_id=message.id, changes={"content": "other"})
    first = conversation.messages.get(seq=1)
    for _ in range(15):
        branches.branch(user=alice, message_id=first.id, changes={"content": "other"})
    page = client.get(page_of(conversation))
    assert "There are more branches than are shown here." in page.text
    fork = page.context["forks"][0]
    assert len(fork.alternatives) == staff_branches.MOST_ALTERNATIVES and fork.more == 6


# Beside the transcript


def test_the_page_shows_the_newest_other_conversations_of_the_owner(
    client: Client, root: User, alice: User, bob: User
) -> None:
    create_conversation(bob, "hello", title="Of Bob")
    others = [create_conversation(alice, "hello", title=f"Other {number}") for number in range(12)]
    conversation = create_conversation(alice, "hello", title="This one", tags=["a <tag>"])
    page = client.get(page_of(conversation))
    assert [other["title"] for other in page.context["others"]] == [other.title for other in others[:1:-1]]
    assert "Of Bob" not in page.text and "a &lt;tag&gt;" in page.text and page_of(alice) in page.text


def test_the_pages_of_a_form_and_of_a_message_lead_to_the_transcript(client: Client, root: User, alice: User) -> None:
    conversation = create_conversation(alice, "hello")
    assert page_of(conversation) in client.get(page_of(conversation, "edit")).text
    assert f"{page_of(conversation)}?at=1#message-1" in client.get(page_of(conversation.messages.get())).text
    form = {"title": "Better", "_continue": ""}
    assert client.post(page_of(conversation, "edit"), form).url == page_of(conversation, "edit")


# One message as JSON


def test_a_message_as_json_is_complete_and_marks_characters_without_a_shape(
    client: Client, root: User, alice: User
) -> None:
    conversation = create(alice, message_draft("über \u202eabc", metadata={"a": [1]}))
    answer = client.get(page_of(conversation.messages.get(), "json"))
    assert answer.headers["Content-Type"] == "application/json"
    assert "über" in answer.text and "\\u202e" in answer.text
    assert json.loads(answer.text)["content"] == "über \u202eabc" and json.loads(answer.text)["metadata"] == {"a": [1]}


def test_long_json_is_cut(client: Client, root: User, alice: User) -> None:
    conversation = create(alice, message_draft("x"))
    Message.objects.update(content="x" * 3_000_000)
    answer = client.get(page_of(conversation.messages.defer("content").get(), "json"))
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert 1_000_000 < len(answer.content) < 1_001_000 and "cut here" in answer.text


def test_only_staff_who_may_read_messages_get_json_and_images(client: Client, alice: User, sam: User) -> None:
    conversation = create(alice, message_draft(None, parts=[{"type": "image_url", "image_url": {"url": PIXEL}}]))
    message = conversation.messages.get()
    paths = [page_of(message, "json"), page_of(message).replace("change", "image/1")]
    assert [client.get(path).status_code for path in paths] == [302] * 2
    client.force_login(sam)
    allow(sam, "view_conversation")
    assert [client.get(path).status_code for path in paths] == [403] * 2
    allow(sam, "view_message")
    assert [client.get(path).status_code for path in paths] == [200] * 2
