"""The chat of the web app: questions, replies, branches, and what must not be lost when something goes wrong."""

import re
from threading import Event
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from accounts.models import User
from conversations.models import Conversation, Message
from conversations.services import conversations
from testing.fake_provider import FakeProvider, completes_with, fails, streams, streams_on

from .site import PASSWORD
from .web import Problems, ask, change_user, composer, messages

pytestmark = pytest.mark.django_db(transaction=True)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def converse(user: User, *texts: str) -> Conversation:
    """Store a conversation in which the user and the model take turns."""
    roles: Any = ("user", "assistant")
    drafts = [{"role": roles[index % 2], "content": text} for index, text in enumerate(texts)]
    return conversations.create(user=user, fields={"title": "Stored"}, drafts=drafts)[0]  # type: ignore[arg-type]


def open_chat(page: Page, conversation: Conversation, search: str = "") -> None:
    page.goto(f"/app/c/{conversation.id}{search}")


def ask_signed_out(page: Page, conversation: Conversation, text: str) -> None:
    """Ask a question after the session has ended, and close the dialog that says so."""
    open_chat(page, conversation)
    composer(page).fill(text)
    page.context.clear_cookies()
    composer(page).press("Enter")
    page.get_by_role("dialog", name="You are signed out").get_by_role("button", name="Close").click()
    expect(messages(page).last).to_contain_text("Waiting until you have signed in again…")


def questions_of(user: User) -> list[str]:
    return list(Message.objects.filter(user=user, role="user").order_by("created_at").values_list("content", flat=True))


class TestReplies:
    def test_a_reply_is_shown_while_it_grows(self, alice_page: Page, model: FakeProvider) -> None:
        gate = Event()
        model.behavior = streams({"content": "Try "}, gate, {"content": "Alfama."})
        alice_page.goto("/app/")
        expect(composer(alice_page)).to_be_focused()
        ask(alice_page, "Where should I eat?")
        expect(messages(alice_page).last).to_have_text("Try")
        expect(alice_page).to_have_url(re.compile("/app/c/"))
        gate.set()
        expect(messages(alice_page).last).to_contain_text("Try Alfama.")
        expect(alice_page).to_have_title("Where should I eat? · chatstore")
        expect(composer(alice_page)).to_be_focused()

    def test_a_reload_in_the_middle_continues_the_reply(self, alice_page: Page, model: FakeProvider) -> None:
        gate = Event()
        model.behavior = streams({"content": "One "}, gate, {"content": "two."})
        alice_page.goto("/app/")
        ask(alice_page, "Count.")
        expect(messages(alice_page).last).to_have_text("One")
        expect(alice_page).to_have_url(re.compile("/app/c/"))
        alice_page.reload()
        expect(messages(alice_page).last).to_have_text("One")
        gate.set()
        expect(messages(alice_page).last).to_contain_text("One two.")

    def test_a_second_tab_shows_the_same_reply(self, alice_page: Page, model: FakeProvider) -> None:
        gate = Event()
        model.behavior = streams({"content": "One "}, gate, {"content": "two."})
        alice_page.goto("/app/")
        ask(alice_page, "Count.")
        expect(alice_page).to_have_url(re.compile("/app/c/"))
        other = alice_page.context.new_page()
        other.goto(alice_page.url)
        expect(messages(other).last).to_have_text("One")
        gate.set()
        for page in (alice_page, other):
            expect(messages(page).last).to_contain_text("One two.")

    def test_an_interrupted_stream_continues(self, alice_page: Page, model: FakeProvider, problems: Problems) -> None:
        gate = Event()
        model.behavior = streams({"content": "One "}, gate, {"content": "two."})
        alice_page.goto("/app/")
        ask(alice_page, "Count.")
        expect(messages(alice_page).last).to_have_text("One")
        alice_page.context.set_offline(True)
        expect(alice_page.get_by_text("The connection is lost.")).to_be_visible()
        alice_page.context.set_offline(False)
        gate.set()
        expect(messages(alice_page).last).to_contain_text("One two.")
        # The app may have tried to connect while it was offline.
        problems[:] = [problem for problem in problems if "ERR_INTERNET_DISCONNECTED" not in problem]

    def test_escape_stops_a_reply_and_keeps_its_text(self, alice_page: Page, model: FakeProvider) -> None:
        model.behavior = streams_on(0.05)
        alice_page.goto("/app/")
        ask(alice_page, "Go on.")
        expect(messages(alice_page).last).to_contain_text("more more")
        alice_page.keyboard.press("Escape")
        expect(messages(alice_page).last).to_contain_text("Stopped")
        expect(messages(alice_page).last).to_contain_text("more more")
        expect(alice_page.get_by_role("button", name="Send", exact=True)).to_be_visible()

    def test_a_failure_says_what_happened_and_keeps_the_question(self, alice_page: Page, model: FakeProvider) -> None:
        model.behavior = fails(401)
        alice_page.goto("/app/")
        ask(alice_page, "Are you there?")
        expect(alice_page.locator(".message-failure")).to_be_visible()
        expect(messages(alice_page).first).to_contain_text("Are you there?")
        model.behavior = completes_with("Yes.")
        alice_page.locator(".message-failure").get_by_role("button", name="Try again").click()
        expect(messages(alice_page)).to_have_count(2)
        expect(messages(alice_page).last).to_contain_text("Yes.")

    def test_a_finished_reply_is_announced_once(self, alice_page: Page, model: FakeProvider) -> None:
        gate = Event()
        model.behavior = streams({"content": "One "}, gate, {"content": "two."})
        alice_page.goto("/app/")
        ask(alice_page, "Count.")
        expect(messages(alice_page).last).to_have_text("One")
        expect(alice_page.locator("main > [aria-live=polite]")).to_have_text("")
        gate.set()
        expect(alice_page.locator("main > [aria-live=polite]")).to_have_text("One two.")


class TestOutbox:
    def test_a_double_click_sends_once(self, alice_page: Page, alice: User, model: FakeProvider) -> None:
        gate = Event()
        model.behavior = streams({"content": "Yes"}, gate)
        alice_page.goto("/app/")
        composer(alice_page).fill("Once?")
        alice_page.get_by_role("button", name="Send", exact=True).dblclick()
        expect(messages(alice_page).last).to_contain_text("Yes")
        gate.set()
        expect(alice_page.get_by_role("button", name="Send", exact=True)).to_be_visible()
        expect(alice_page.get_by_text("Stopped")).to_have_count(0)
        assert questions_of(alice) == ["Once?"]

    def test_a_question_waits_for_the_connection_and_is_sent_once(
        self, alice_page: Page, alice: User, problems: Problems
    ) -> None:
        chat = converse(alice, "Hello", "Hi")
        open_chat(alice_page, chat)
        expect(messages(alice_page)).to_have_count(2)
        other = alice_page.context.new_page()
        open_chat(other, chat)
        expect(messages(other)).to_have_count(2)
        alice_page.context.set_offline(True)
        ask(alice_page, "Later")
        expect(alice_page.get_by_text("Waiting for the connection…")).to_be_visible()
        expect(alice_page.get_by_role("button", name="Discard")).to_be_visible()
        expect(other.get_by_text("Later")).to_be_visible()
        alice_page.context.set_offline(False)
        for page in (alice_page, other):
            expect(messages(page)).to_have_count(4)
            expect(messages(page).last).to_contain_text("Fine.")
        assert questions_of(alice) == ["Hello", "Later"]
        problems.expect("ERR_INTERNET_DISCONNECTED")

    def test_a_question_is_sent_after_a_reload(self, alice_page: Page, alice: User, problems: Problems) -> None:
        open_chat(alice_page, converse(alice, "Hello", "Hi"))
        expect(messages(alice_page)).to_have_count(2)
        alice_page.route("**/reply/", lambda route: route.abort())
        ask(alice_page, "Later")
        expect(alice_page.get_by_text("Waiting for the connection…")).to_be_visible()
        alice_page.unroute_all()
        alice_page.reload()
        expect(messages(alice_page)).to_have_count(4)
        expect(messages(alice_page).last).to_contain_text("Fine.")
        assert questions_of(alice) == ["Hello", "Later"]
        problems.expect("ERR_FAILED")

    def test_a_question_whose_response_is_lost_is_stored_once(
        self, alice_page: Page, alice: User, model: FakeProvider, problems: Problems
    ) -> None:
        def lose(route: Any) -> None:
            route.fetch()
            route.abort()

        open_chat(alice_page, converse(alice, "Hello", "Hi"))
        alice_page.route("**/reply/", lose, times=1)
        ask(alice_page, "Once?")
        expect(messages(alice_page)).to_have_count(4)
        expect(messages(alice_page).last).to_contain_text("Fine.")
        assert questions_of(alice) == ["Hello", "Once?"]
        assert len(model.request_bodies) == 1
        problems.expect("ERR_FAILED")

    def test_a_busy_server_is_asked_again(self, alice_page: Page, alice: User, problems: Problems) -> None:
        error: Any = {"error": {"code": "rate_limited", "message": "Too many replies.", "field": None, "details": []}}
        open_chat(alice_page, converse(alice, "Hello", "Hi"))
        alice_page.route("**/reply/", lambda route: route.fulfill(status=429, json=error), times=1)
        ask(alice_page, "Now?")
        expect(alice_page.get_by_text("Too many replies.")).to_be_visible()
        press(alice_page, "Send now")
        expect(messages(alice_page).last).to_contain_text("Fine.")
        problems.expect("status of 429")

    def test_a_refused_text_returns_to_the_composer(self, alice_page: Page, problems: Problems) -> None:
        error: Any = {"error": {"code": "bytes", "message": "This text is too long.", "details": []}}
        alice_page.goto("/app/")
        alice_page.route("**/chat/", lambda route: route.fulfill(status=400, json=error))
        ask(alice_page, "A long text")
        expect(alice_page.get_by_role("alert")).to_have_text("This text is too long.")
        expect(composer(alice_page)).to_have_value("A long text")
        problems.expect("status of 400")

    def test_a_session_that_ends_while_typing_loses_nothing(
        self, alice_page: Page, alice: User, app_address: str, problems: Problems
    ) -> None:
        open_chat(alice_page, converse(alice, "Hello", "Hi"))
        composer(alice_page).fill("Still here?")
        alice_page.context.clear_cookies()
        composer(alice_page).press("Enter")
        expect(alice_page.get_by_role("heading", name="You are signed out")).to_be_visible()
        expect(alice_page.get_by_text("Waiting until you have signed in again…")).to_be_visible()
        change_user(alice_page, alice, app_address)
        press(alice_page, "I have signed in")
        expect(messages(alice_page).last).to_contain_text("Fine.")
        assert questions_of(alice) == ["Hello", "Still here?"]
        problems.expect("status of 401")

    def test_a_question_that_waits_for_a_sign_in_offers_it_after_the_dialog_is_closed(
        self, alice_page: Page, alice: User, problems: Problems
    ) -> None:
        ask_signed_out(alice_page, converse(alice, "Hello", "Hi"), "Still here?")
        with alice_page.expect_popup() as popup:
            messages(alice_page).last.get_by_role("link", name="Sign in").click()
        popup.value.locator("input[name=login]").fill(alice.email)
        popup.value.locator("input[name=password]").fill(PASSWORD)
        popup.value.keyboard.press("Enter")
        expect(messages(alice_page).last).to_contain_text("Fine.")
        assert questions_of(alice) == ["Hello", "Still here?"]
        problems.expect("status of 401")

    def test_a_question_that_waits_for_a_sign_in_can_be_discarded_and_restored(
        self, alice_page: Page, alice: User, app_address: str, problems: Problems
    ) -> None:
        ask_signed_out(alice_page, converse(alice, "Hello", "Hi"), "Still here?")
        press(alice_page, "Discard")
        expect(messages(alice_page)).to_have_count(2)
        expect(composer(alice_page)).to_be_focused()
        press(alice_page, "Undo")
        expect(messages(alice_page).last).to_contain_text("Still here?")
        change_user(alice_page, alice, app_address)
        press(alice_page, "I have signed in")
        expect(messages(alice_page).last).to_contain_text("Fine.")
        assert questions_of(alice) == ["Hello", "Still here?"]
        problems.expect("status of 401")

    def test_a_draft_stays_after_a_reload(self, alice_page: Page, alice: User) -> None:
        open_chat(alice_page, converse(alice, "Hello", "Hi"))
        composer(alice_page).fill("Half a thought")
        alice_page.goto("/app/")
        expect(composer(alice_page)).to_have_value("")
        alice_page.go_back()
        expect(composer(alice_page)).to_have_value("Half a thought")

    def test_a_waiting_question_is_not_sent_for_another_user(
        self, alice_page: Page, alice: User, bob: User, app_address: str, problems: Problems
    ) -> None:
        alice_page.goto("/app/")
        alice_page.route("**/chat/", lambda route: route.abort())
        ask(alice_page, "A secret of Alice")
        expect(alice_page.get_by_text("Waiting for the connection…")).to_be_visible()
        alice_page.unroute_all()
        change_user(alice_page, bob, app_address)
        alice_page.goto("/app/")
        expect(composer(alice_page)).to_be_focused()
        expect(alice_page.get_by_text("A secret of Alice")).to_have_count(0)
        assert questions_of(bob) == []
        problems.expect("ERR_FAILED")

    def test_an_open_page_does_nothing_for_a_user_who_signs_in_in_another_tab(
        self, alice_page: Page, alice: User, bob: User, app_address: str, problems: Problems
    ) -> None:
        alice_page.goto("/app/")
        expect(alice_page.get_by_text(alice.name or alice.email).first).to_be_visible()
        change_user(alice_page, bob, app_address)
        ask(alice_page, "A secret of Alice")
        expect(alice_page.get_by_role("heading", name="Another user is signed in")).to_be_visible()
        alice_page.get_by_role("link", name="Open the page of this user").click()
        expect(alice_page.get_by_text(bob.name or bob.email).first).to_be_visible()
        expect(alice_page.get_by_text("A secret of Alice")).to_have_count(0)
        assert questions_of(bob) == []
        change_user(alice_page, alice, app_address)
        alice_page.goto("/app/")
        expect(messages(alice_page).last).to_contain_text("Fine.")
        assert questions_of(alice) == ["A secret of Alice"]
        problems.expect("status of 401")


class TestBranches:
    def test_an_edited_question_becomes_a_branch(self, alice_page: Page, alice: User, model: FakeProvider) -> None:
        open_chat(alice_page, converse(alice, "In Lisbon?", "Alfama."))
        model.behavior = completes_with("Ribeira.")
        messages(alice_page).first.hover()
        press(alice_page, "Edit the message")
        editor = alice_page.get_by_label("Edit the message")
        editor.fill("In Porto?")
        editor.press("Enter")
        expect(messages(alice_page).last).to_contain_text("Ribeira.")
        expect(messages(alice_page)).to_have_count(2)
        expect(messages(alice_page).first).to_contain_text("2/2")
        press(alice_page, "Previous branch")
        expect(messages(alice_page).last).to_contain_text("Alfama.")
        expect(messages(alice_page).first).to_contain_text("1/2")

    def test_another_answer_comes_from_another_model(self, alice_page: Page, alice: User, model: FakeProvider) -> None:
        open_chat(alice_page, converse(alice, "In Lisbon?", "Alfama."))
        model.behavior = completes_with("Baixa.")
        press(alice_page, "Try again")
        alice_page.get_by_role("menuitem", name="With second").click()
        expect(messages(alice_page).last).to_contain_text("Baixa.")
        expect(messages(alice_page).last).to_contain_text("2/2")
        assert Message.objects.filter(user=alice, content="Baixa.").values_list("model", flat=True).get() == "second"

    def test_escape_ends_editing_without_a_change(self, alice_page: Page, alice: User) -> None:
        open_chat(alice_page, converse(alice, "In Lisbon?", "Alfama."))
        messages(alice_page).first.hover()
        press(alice_page, "Edit the message")
        alice_page.keyboard.press("Escape")
        expect(messages(alice_page).first).to_contain_text("In Lisbon?")
        assert questions_of(alice) == ["In Lisbon?"]

    def test_undo_restores_a_deleted_message(self, alice_page: Page, alice: User) -> None:
        open_chat(alice_page, converse(alice, "Hello", "Hi"))
        messages(alice_page).last.get_by_role("button", name="Delete the message").click()
        expect(messages(alice_page)).to_have_count(1)
        press(alice_page, "Undo")
        expect(messages(alice_page)).to_have_count(2)

    def test_a_link_to_a_message_on_another_branch_shows_it_and_leads_back(
        self, alice_page: Page, alice: User, problems: Problems
    ) -> None:
        chat = converse(alice, "In Lisbon?", "Alfama.")
        open_chat(alice_page, chat)
        hidden = Message.objects.get(user=alice, content="Alfama.")
        press(alice_page, "Try again")
        alice_page.get_by_role("menuitem", name="Try again").click()
        expect(messages(alice_page).last).to_contain_text("Fine.")
        open_chat(alice_page, chat, f"?message={hidden.id}")
        expect(alice_page.locator("[data-marked]")).to_contain_text("Alfama.")
        press(alice_page, "Go back")
        expect(messages(alice_page).last).to_contain_text("Fine.")
        problems.expect("status of 409")


class TestLongConversations:
    @pytest.fixture
    def long_chat(self, alice: User) -> Conversation:
        texts = [f"Message {number}" for number in range(10_000)]
        return converse(alice, *texts)

    def test_it_opens_at_the_end_and_keeps_its_place_while_earlier_messages_come(
        self, alice_page: Page, long_chat: Conversation
    ) -> None:
        open_chat(alice_page, long_chat)
        expect(alice_page.get_by_text("Message 9999", exact=True)).to_be_in_viewport()
        thread = alice_page.get_by_role("region", name="Messages")
        thread.hover()
        alice_page.mouse.wheel(0, -300)  # the thread follows its end until the user scrolls
        expect(alice_page.get_by_role("button", name="Jump to the end")).to_be_visible()
        for _ in range(8):
            first = str(messages(alice_page).first.get_attribute("id"))
            thread.evaluate("element => element.scrollTop = 0")
            expect(messages(alice_page).first).not_to_have_id(first)
            expect(alice_page.locator(f"#{first}")).to_be_in_viewport()
        expect(alice_page.get_by_text("Message 9999", exact=True)).to_have_count(0)
        assert messages(alice_page).count() <= 250
        press(alice_page, "Jump to the end")
        expect(alice_page.get_by_text("Message 9999", exact=True)).to_be_in_viewport()

    def test_its_messages_are_read_without_waiting_for_the_user(
        self, alice_page: Page, long_chat: Conversation
    ) -> None:
        waiting: list[Route] = []
        alice_page.route("**/api/v1/me/", lambda route: waiting.append(route))
        with alice_page.expect_response("**/messages/?**"):
            open_chat(alice_page, long_chat)
        for route in waiting:
            route.continue_()
        expect(alice_page.get_by_text("Message 9951", exact=True)).to_have_count(1)  # the first of the last 50
        expect(alice_page.get_by_text("Message 9999", exact=True)).to_be_in_viewport()

    def test_a_print_has_the_messages_only_and_says_if_some_are_missing(
        self, alice_page: Page, alice: User, long_chat: Conversation
    ) -> None:
        alice_page.emulate_media(media="print")
        note = alice_page.get_by_text("This is a part of a long conversation.")
        open_chat(alice_page, long_chat)
        expect(note).to_be_visible()
        open_chat(alice_page, converse(alice, "In Lisbon?", "Alfama."))
        expect(messages(alice_page)).to_have_count(2)
        expect(note).to_have_count(0)
        expect(alice_page.get_by_role("navigation")).to_have_count(0)
        expect(alice_page.get_by_role("textbox")).to_have_count(0)
        expect(alice_page.get_by_role("button")).to_have_count(0)

    def test_a_link_opens_a_message_in_the_middle(self, alice_page: Page, alice: User, long_chat: Conversation) -> None:
        middle = Message.objects.get(user=alice, content="Message 5000")
        open_chat(alice_page, long_chat, f"?message={middle.id}")
        expect(alice_page.locator("[data-marked]")).to_be_in_viewport()
        thread = alice_page.get_by_role("region", name="Messages")
        for _ in range(8):
            last = str(messages(alice_page).last.get_attribute("id"))
            thread.evaluate("element => element.scrollTop = element.scrollHeight")
            expect(messages(alice_page).last).not_to_have_id(last)
        expect(alice_page.locator("[data-marked]")).to_have_count(0)
        assert messages(alice_page).count() <= 250
