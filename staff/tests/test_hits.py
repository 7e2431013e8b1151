"""A transcript that staff open from a search: it marks the words, and steps from hit to hit."""

import re

import pytest
from django.test import Client

from accounts.models import User
from conversations import search
from conversations.models import Conversation
from conversations.search import hits
from conversations.services import branches, conversations, messages
from testing.admin import page_of
from testing.cast import create_conversation, message_draft, message_with_text
from testing.statements import executed_sql


@pytest.fixture
def chat(alice: User) -> Conversation:
    texts = ["A zebra?", "No.", "Two **Zebras** run", "Yes.", "The last zebra"]
    return create_conversation(alice, *texts)


def found(chat: Conversation, text: str, around: int = 0) -> list[int]:
    return hits.find_hits(chat, search.parse(text), around=around)


def links(client: Client, chat: Conversation, query: str) -> list[str]:
    bar = client.get(page_of(chat) + query).text.partition('id="hits"')[2].partition("</nav>")[0]
    return re.findall(r'rel="(\w+)" href="\?at=(\d+)&amp;q=zebra#message-\2"', bar)


def test_hits_are_the_messages_of_the_conversation_that_match(alice: User, chat: Conversation) -> None:
    create_conversation(alice, "another zebra")
    messages.trash(user=alice, message_id=message_with_text(chat, "The last zebra").id)
    assert found(chat, "zebra") == [1, 3]
    assert found(chat, "zebr") == [1, 3], "parts of words match, too"
    assert found(chat, "zebra -running") == [1], "words match by their stems"
    assert found(chat, "zebra role:user") == [1, 3] and found(chat, "zebra role:tool") == []
    assert found(chat, 'zebra "(?') == [], "signs are no pattern"


def test_a_bounded_number_of_messages_around_the_position_is_read(
    alice: User, chat: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hits, "SCANNED", 1)
    assert found(chat, "zebra", around=3) == [3]
    monkeypatch.setattr(hits, "SCANNED", 2)
    monkeypatch.setattr(hits, "MOST", 1)
    assert found(chat, "zebra", around=3) == [3, 5]
    with executed_sql() as statements:
        found(chat, "zebra", around=3)
    assert len(statements) == 1


def test_the_words_are_marked_but_not_in_tags_and_character_references(client: Client, root: User, alice: User) -> None:
    text = "Zebras & [zebra](https://example.com/zebra) <amp>"
    chat = create_conversation(alice, text)
    page = client.get(page_of(chat) + "?q=zebra+amp+a").text
    assert "<mark>Zebra</mark>s &amp; " in page or "<mark>Zebr</mark>" in page
    assert 'href="https://example.com/zebra"' in page
    assert "&lt;<mark>amp</mark>&gt;" in page
    assert "<mark>" not in client.get(page_of(chat)).text


def test_links_lead_to_the_previous_and_the_next_hit(client: Client, root: User, chat: Conversation) -> None:
    assert links(client, chat, "?q=zebra") == [("next", "1")]
    assert links(client, chat, "?at=3&q=zebra") == [("prev", "1"), ("next", "5")]
    assert links(client, chat, "?at=5&q=zebra") == [("prev", "3")]
    assert links(client, chat, "?at=3") == []


def test_the_results_of_a_search_lead_to_a_transcript_with_its_words(
    client: Client, root: User, chat: Conversation
) -> None:
    page = client.get("/admin/search/", {"q": "zebra user:alice@example.com"}).text
    link = re.search(r'href="(/admin/conversations/conversation/[^"]+at=5[^"]+)"', page)
    assert link
    opened = client.get(link[1].replace("&amp;", "&").partition("#")[0])
    assert opened.context["hits"].seqs == (1, 3, 5)
    assert "The last <mark>zebra</mark>" in opened.text


def test_further_pages_and_other_branches_keep_the_words(client: Client, root: User, alice: User) -> None:
    drafts = [message_draft(f"zebra {number}") for number in range(60)]
    chat, _ = conversations.create(user=alice, fields={}, drafts=drafts)
    branches.branch(user=alice, message_id=message_with_text(chat, "zebra 1").id, changes={"content": "giraffe"})
    page = client.get(page_of(chat) + "?at=2&q=zebra").text
    assert "&amp;q=zebra#message-61" in page, "the link to the alternative"
    with executed_sql() as statements:
        fragment = client.get(page_of(chat) + "?after=40&branch=2&q=zebra&fragment").text
    assert "<mark>zebra</mark> 50" in fragment and 'id="hits"' not in fragment
    assert not any("phraseto" in sql for sql in statements)


def test_a_conversation_whose_hits_take_too_long_is_shown_without_them(
    client: Client, root: User, chat: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hits.Budget, "fetch", _too_slow)
    page = client.get(page_of(chat) + "?q=zebra")
    assert page.status_code == 200 and page.context["hits"].seqs == () and "<mark>" in page.text


def _too_slow(*args: object, **options: object) -> None:
    raise search.time_limit._too_slow()
