"""Tests of the review: a member of staff works through a queue with the keyboard."""

from playwright.sync_api import Page, expect

from accounts.models import User
from conversations.models import Conversation
from conversations.services import conversations, reactions
from staff.models import Label, Note, Review
from testing.cast import dialogue

from .site import create_account

WIDTHS = (1280, 390)


def create_disliked(owner: User, title: str) -> Conversation:
    drafts = dialogue("Why?", f"Because of {title}.", "Thanks.")
    conversation, _ = conversations.create(user=owner, fields={"title": title}, drafts=drafts)
    reactions.react(user=owner, message_id=conversation.messages.get(seq=2).id, type="thumbs_down")
    return conversation


def test_the_dislikes_can_be_reviewed_with_the_keyboard_only(reader: Page) -> None:
    for position, name in enumerate(("Good", "Wrong facts")):
        Label.objects.update_or_create(name=name, defaults={"position": position, "is_active": True})
    owner = User.objects.get(email=create_account())
    first, second, third = (create_disliked(owner, title) for title in ("first", "second", "third"))
    reader.goto("/admin/review/queue/dislikes/")
    expect(reader.get_by_role("button", name="Take the next item")).to_be_focused()
    reader.keyboard.press("Enter")
    expect(reader.get_by_role("heading", name="third")).to_be_visible()
    expect(reader.locator("#message-2")).to_be_focused()
    reader.keyboard.press("2")  # the second label; then the next item opens
    expect(reader.get_by_role("heading", name="second")).to_be_visible()
    reader.keyboard.press("c")
    reader.keyboard.type("It is 1 of 2.")
    reader.keyboard.press("Control+Enter")
    expect(reader.locator("#message-2 .staff-notes")).to_contain_text("It is 1 of 2.")
    reader.keyboard.press("i")  # skips the item
    expect(reader.get_by_role("heading", name="first")).to_be_visible()
    reader.keyboard.press("k")
    reader.keyboard.press("v")  # opens the review of the message before
    expect(reader.locator("#message-1 .judge button").first).to_be_focused()
    reader.keyboard.press("j")
    reader.keyboard.press("0")  # looked at
    reader.wait_for_url("**/queue/**")
    judged = Review.objects.filter(conversation__user=owner, done_at__isnull=False)
    assert {(row.conversation, str(row.label or "")) for row in judged} == {(third, "Wrong facts"), (first, "")}
    assert Note.objects.get(conversation=second).text == "It is 1 of 2."


def test_the_pages_of_the_review_fit_on_a_desktop_and_a_phone(reader: Page) -> None:
    owner = User.objects.get(email=create_account())
    conversation = create_disliked(owner, "w" * 300)
    for width in WIDTHS:
        reader.set_viewport_size({"width": width, "height": 900})
        for path in ("", "queue/dislikes/"):
            reader.goto(f"/admin/review/{path}")
            assert reader.evaluate("document.documentElement.scrollWidth") <= width
        reader.goto(f"/admin/conversations/conversation/{conversation.pk}/?at=2&queue=dislikes")
        assert reader.evaluate("document.documentElement.scrollWidth") <= width
