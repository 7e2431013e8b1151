"""Sharing in the web app: links, what a stranger reads at them, and how they end."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from conversations.models import Conversation, Share
from conversations.services import messages, shares
from testing.cast import create_conversation, message_with_text

from .site import PASSWORD
from .web import Problems, SignIn

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def chat(alice: User) -> Conversation:
    return create_conversation(alice, "Where should I stay in Lisbon?", "In **Alfama**.", "Why?", title="Lisbon in May")


@pytest.fixture
def stranger(sign_in: SignIn) -> Page:
    return sign_in(None)


def share(chat: Conversation, **fields: Any) -> Share:
    """Share the whole conversation."""
    return shares.create(user=chat.user, conversation_id=chat.id, **fields)


def open_dialog(page: Page, chat: Conversation) -> Locator:
    page.goto(f"/app/c/{chat.id}")
    page.locator(".chat-header").get_by_role("button", name="Actions for").click()
    page.get_by_role("menuitem", name="Share…").click()
    return page.get_by_role("dialog", name="Share")


def create_link(dialog: Locator) -> str:
    dialog.get_by_role("button", name="Create a link").click()
    return dialog.get_by_label("Link", exact=True).input_value()


def body(page: Page) -> Locator:
    return page.get_by_role("main")


class TestTheOwner:
    def test_creates_a_link_that_a_stranger_reads(self, alice_page: Page, chat: Conversation, stranger: Page) -> None:
        dialog = open_dialog(alice_page, chat)
        expect(dialog).to_contain_text("No links yet.")
        link = create_link(dialog)
        expect(dialog.get_by_label("Link", exact=True)).to_be_focused()
        expect(dialog.locator("li.share")).to_contain_text("3 messages · never expires")
        stranger.goto(link)
        expect(stranger.locator("article")).to_have_count(3)
        expect(stranger.locator("article strong")).to_have_text("Alfama")
        expect(stranger).to_have_title("Lisbon in May · chatstore")
        expect(body(stranger)).to_contain_text("Shared with chatstore · read only")

    def test_revokes_a_link_after_a_confirmation(
        self, alice_page: Page, chat: Conversation, stranger: Page, problems: Problems
    ) -> None:
        dialog = open_dialog(alice_page, chat)
        stranger.goto(create_link(dialog))
        expect(stranger.locator("article")).to_have_count(3)
        dialog.get_by_role("button", name=re.compile("^Revoke “")).click()
        expect(dialog).to_contain_text("This cannot be undone")
        dialog.get_by_role("button", name="Revoke the link").click()
        expect(dialog).to_contain_text("No links yet.")
        expect(dialog.get_by_label("Link", exact=True)).to_have_count(0)
        stranger.reload()
        expect(body(stranger)).to_contain_text("It does not exist, has expired, or was revoked.")
        problems.expect("status of 404")

    def test_chooses_when_a_link_expires_and_who_reads_it(
        self, alice_page: Page, chat: Conversation, alice: User, stranger: Page, problems: Problems
    ) -> None:
        dialog = open_dialog(alice_page, chat)
        dialog.get_by_label("Expiry").select_option("7")
        dialog.get_by_label("Only people who are signed in here").check()
        link = create_link(dialog)
        expect(dialog.locator("li.share")).to_contain_text("expires on")
        expect(dialog.locator("li.share")).to_contain_text("sign-in required")
        stranger.goto(link)
        expect(body(stranger)).to_contain_text("Sign in to read this conversation")
        problems.expect("status of 401")
        stranger.get_by_role("link", name="Sign in").click()
        stranger.locator("input[name=login]").fill(str(alice.email))
        stranger.locator("input[name=password]").fill(PASSWORD)
        stranger.keyboard.press("Enter")
        expect(body(stranger)).to_contain_text("expires on")
        expect(stranger.locator("article")).to_have_count(3)

    def test_reads_why_a_link_cannot_be_created(self, alice_page: Page, chat: Conversation, problems: Problems) -> None:
        dialog = open_dialog(alice_page, chat)
        dialog.get_by_label("Expiry").select_option("date")
        dialog.get_by_role("button", name="Create a link").click()
        expect(dialog).to_contain_text("Choose a date.")
        dialog.get_by_label("Expiry").select_option("never")
        chat.messages.all().delete()
        dialog.get_by_role("button", name="Create a link").click()
        expect(dialog).to_contain_text("There is no message to share.")
        problems.expect("status of 409")

    def test_shares_up_to_a_message(self, alice_page: Page, chat: Conversation, stranger: Page) -> None:
        alice_page.goto(f"/app/c/{chat.id}")
        row = alice_page.locator(f"#message-{message_with_text(chat, 'In **Alfama**.').id}")
        row.get_by_role("button", name="Share up to this message…").click()
        dialog = alice_page.get_by_role("dialog", name="Share up to this message")
        stranger.goto(create_link(dialog))
        expect(stranger.locator("article")).to_have_count(2)
        expect(body(stranger)).not_to_contain_text("Why?")

    def test_finds_all_links_in_the_settings(self, alice_page: Page, chat: Conversation) -> None:
        alice_page.goto("/app/settings/shares")
        expect(body(alice_page)).to_contain_text("You have no links.")
        share(chat)
        for number in range(20):
            share(create_conversation(chat.user, "Hi", title=f"Chat {number}"))
        alice_page.reload()
        expect(alice_page.locator("li.share")).to_have_count(20)
        alice_page.get_by_role("button", name="Show more").click()
        oldest = alice_page.locator("li.share").last
        expect(oldest).to_contain_text("Lisbon in May")
        oldest.get_by_role("button", name=re.compile("^Revoke “")).click()
        alice_page.get_by_role("button", name="Revoke the link").click()
        expect(alice_page.locator("li.share")).to_have_count(20)
        assert not Share.objects.filter(conversation=chat).exists()


class TestTheReader:
    def test_sees_no_later_message(self, chat: Conversation, stranger: Page) -> None:
        link = share(chat)
        messages.append(user=chat.user, conversation_id=chat.id, drafts=[{"role": "user", "content": "My secret"}])
        stranger.goto(f"/share/{link.token}")
        expect(stranger.locator("article")).to_have_count(3)
        expect(body(stranger)).not_to_contain_text("My secret")

    def test_sees_questions_at_the_other_side_than_replies(self, alice: User, stranger: Page) -> None:
        link = share(create_conversation(alice, "Why?", "Because."))
        stranger.goto(f"/share/{link.token}")
        question = stranger.locator("article").get_by_text("Why?", exact=True).bounding_box()
        reply = stranger.locator("article p", has_text="Because.").bounding_box()
        assert question and reply
        assert question["x"] > reply["x"] + 300

    def test_loads_nothing_else_of_the_api(self, chat: Conversation, stranger: Page) -> None:
        paths: list[str] = []
        stranger.on("request", lambda request: paths.append(request.url))
        link = share(chat)
        stranger.goto(f"/share/{link.token}")
        expect(stranger.locator("article")).to_have_count(3)
        calls = [path for path in paths if "/api/" in path]
        assert calls
        assert all(f"/api/v1/shared/{link.token}/" in call for call in calls)

    def test_scrolls_through_a_long_conversation(self, alice: User, stranger: Page) -> None:
        texts = [f"Message {number}" for number in range(120)]
        stranger.goto(f"/share/{share(create_conversation(alice, *texts)).token}")
        expect(stranger.locator("article")).to_have_count(50)
        stranger.keyboard.press("End")
        expect(stranger.locator("article")).to_have_count(100)
        stranger.keyboard.press("End")
        expect(stranger.locator("article")).to_have_count(120)
        expect(stranger.locator("article").last).to_have_text("Message 119")

    def test_sees_a_hostile_title_as_text(self, alice: User, stranger: Page) -> None:
        title = "<img src=x onerror=alert(1)>\u202e</title><script>alert(2)</script>"
        stranger.goto(f"/share/{share(create_conversation(alice, 'Hi', title=title)).token}")
        expect(stranger.get_by_role("heading", level=1)).to_contain_text("<img src=x onerror=alert(1)>")
        assert stranger.locator("main img, main script").count() == 0

    def test_reads_that_a_link_has_expired(self, chat: Conversation, stranger: Page, problems: Problems) -> None:
        link = share(chat)
        Share.objects.filter(id=link.id).update(expires_at=timezone.now() - timedelta(seconds=1))
        stranger.goto(f"/share/{link.token}")
        expect(stranger.get_by_role("heading", level=1)).to_have_text("This link does not work")
        expect(stranger.get_by_role("link", name="To the start page")).to_have_attribute("href", "/")
        problems.expect("status of 404")
