"""The size of admin pages is bounded, so that staff can open the page of every row."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import User
from conversations.models import Conversation, Message
from conversations.services import conversations
from testing.admin import page_of
from testing.cast import message_draft

DEPTH = 60
NESTED = "[" * DEPTH + ",".join(["0"] * 30) + "]" * DEPTH


def create_from_drafts(user: User, drafts: list[Any]) -> Conversation:
    return conversations.create(user=user, fields={}, drafts=drafts)[0]


def create_with_nested_parts(user: User, megabytes: int) -> Conversation:
    """Create a message with deeply nested JSON. Old versions, which had no limit of the depth, stored such messages."""
    conversation = create_from_drafts(user, [message_draft("Hello")])
    parts = f"[{','.join([NESTED] * (megabytes * 1_000_000 // len(NESTED)))}]"
    with connection.cursor() as cursor:
        cursor.execute("UPDATE message SET parts = %s::jsonb, tool_calls = %s::jsonb", [parts, parts])
    return conversation


@pytest.mark.parametrize("megabytes", [1, 9])
def test_the_size_of_a_page_with_deeply_nested_parts_is_bounded(
    megabytes: int, client: Client, root: User, alice: User
) -> None:
    conversation = create_with_nested_parts(alice, megabytes)
    page = client.get(page_of(conversation))
    assert page.status_code == 200 and len(page.content) < 200_000
    assert "Further elements" in page.text and "Hello" in page.text
    message_page = client.get(page_of(conversation.messages.get()))
    assert message_page.status_code == 200 and len(message_page.content) < 3_000_000
    assert "cut here" in message_page.text and "[[[[" in message_page.text


def test_short_json_that_is_nested_more_deeply_than_python_reads_is_shown_as_it_is(
    client: Client, root: User, alice: User
) -> None:
    message = create_from_drafts(alice, [message_draft("Hello")]).messages.get()
    with connection.cursor() as cursor:  # old versions, which had no limit of the depth, stored such messages
        cursor.execute("UPDATE message SET parts = %s::jsonb", ["[" * 2_000 + "]" * 2_000])
    page = client.get(page_of(message))
    assert page.status_code == 200 and "[" * 2_000 in page.text


def test_short_json_is_indented(client: Client, root: User, alice: User) -> None:
    conversation = create_from_drafts(
        alice, [message_draft("Hello", parts=[{"text": "a part"}], metadata={"key": "é"})]
    )
    text = client.get(page_of(conversation.messages.get())).text
    assert "[\n" in text and "&quot;a part&quot;" in text
    assert "{\n  &quot;key&quot;: &quot;é&quot;\n}" in text


def test_a_transcript_of_many_long_messages_has_several_pages_of_bounded_size(
    client: Client, root: User, alice: User
) -> None:
    long = "<" * 20_000
    drafts = [message_draft(f"{number} {long}", reasoning=long, parts=[long]) for number in range(12)]
    conversation = create_from_drafts(alice, drafts)
    for query, start in [("?after={}", 0), ("?before={}", 13)]:
        seen, position = [], start
        while len(seen) < 12:
            page = client.get(page_of(conversation) + query.format(position))
            shown = page.context["transcript"]
            assert len(page.content) < 300_000
            assert shown.messages
            seen += [row.seq for row in shown.messages]
            assert (shown.later, shown.earlier) == (shown.last < 12, shown.first > 1)
            position = shown.last if start == 0 else shown.first
        assert sorted(seen) == list(range(1, 13))


def test_the_page_of_a_long_message_shows_only_its_beginning(client: Client, root: User, alice: User) -> None:
    conversation = create_from_drafts(alice, [message_draft("x")])
    Message.objects.update(content="x" * 3_000_000)
    page = client.get(page_of(conversation.messages.defer("content").get()))
    assert 1_000_000 < len(page.content) < 1_200_000
