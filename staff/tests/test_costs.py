"""Whatever a user stores, staff can open its page: nothing on it is larger than a bound."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import User
from conversations.models import Conversation, Message
from conversations.services import conversations
from staff import transcript
from testing.admin import page_of
from testing.cast import create_user, message_draft

DEPTH = 60
NESTED = "[" * DEPTH + ",".join(["0"] * 30) + "]" * DEPTH


@pytest.fixture
def root(client: Client, db: None) -> User:
    root = create_user("Root", is_staff=True, is_superuser=True)
    client.force_login(root)
    return root


def a_conversation(user: User, drafts: list[Any]) -> Conversation:
    return conversations.create(user=user, fields={}, drafts=drafts)[0]


def with_nested_parts(user: User, megabytes: int) -> Conversation:
    """A message of deeply nested JSON, as one that was stored before there was a limit."""
    conversation = a_conversation(user, [message_draft("Hello")])
    parts = f"[{','.join([NESTED] * (megabytes * 1_000_000 // len(NESTED)))}]"
    with connection.cursor() as cursor:
        cursor.execute("UPDATE message SET parts = %s::jsonb, tool_calls = %s::jsonb", [parts, parts])
    return conversation


@pytest.mark.parametrize("megabytes", [1, 9])
def test_deeply_nested_parts_are_shown_in_a_page_of_a_bounded_size(
    megabytes: int, client: Client, root: User, alice: User
) -> None:
    conversation = with_nested_parts(alice, megabytes)
    page = client.get(page_of(conversation))
    assert page.status_code == 200 and len(page.content) < 200_000
    assert "cut here" in page.text and "Hello" in page.text
    own = client.get(page_of(conversation.messages.get()))
    assert own.status_code == 200 and len(own.content) < 3_000_000
    assert "cut here" in own.text and "[[[[" in own.text


def test_short_json_is_shown_with_indents(client: Client, root: User, alice: User) -> None:
    conversation = a_conversation(alice, [message_draft("Hello", parts=[{"text": "a part"}], metadata={"key": "é"})])
    for row in (conversation, conversation.messages.get()):
        text = client.get(page_of(row)).text
        assert "[\n" in text and "&quot;a part&quot;" in text
    assert "{\n  &quot;key&quot;: &quot;é&quot;\n}" in text


def test_a_transcript_of_many_long_messages_is_bounded_and_continues(client: Client, root: User, alice: User) -> None:
    long = "<" * 20_000
    drafts = [message_draft(f"{number} {long}", reasoning=long, parts=[long]) for number in range(60)]
    conversation = a_conversation(alice, drafts)
    for query, beyond in [("?after={}", 0), ("?before={}", 61)]:
        seen, at = [], beyond
        while len(seen) < 60:
            page = client.get(page_of(conversation) + query.format(at))
            shown = page.context["transcript"]
            assert len(page.content) < 5 * transcript.PAGE_CHARACTERS
            assert shown.messages
            seen += [row.seq for row in shown.messages]
            assert (shown.later, shown.earlier) == (shown.last < 60, shown.first > 1)
            at = shown.last if beyond == 0 else shown.first
        assert sorted(seen) == list(range(1, 61))


def test_the_database_sends_no_more_of_a_message_than_its_page_shows(client: Client, root: User, alice: User) -> None:
    conversation = a_conversation(alice, [message_draft("x")])
    Message.objects.update(content="x" * 3_000_000)
    page = client.get(page_of(conversation.messages.defer("content").get()))
    assert 1_000_000 < len(page.content) < 1_200_000
