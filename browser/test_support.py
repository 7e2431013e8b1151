"""The work of a support person in a browser: find a conversation, read it, tag it, judge it, delete and restore it."""

from playwright.sync_api import Page, expect

from accounts.models import User
from conversations.models import Conversation
from conversations.services import conversations
from staff.models import AuditEvent
from testing.admin import list_of, page_of
from testing.cast import dialogue

from .site import create_account


def run_action(page: Page, conversation: Conversation, action: str) -> None:
    """Run an action of the list on a conversation."""
    page.goto(list_of(Conversation))
    page.locator(f"input[name=_selected_action][value='{conversation.pk}']").check()
    page.locator("select[name=action]").select_option(label=action)
    page.get_by_role("button", name="Go", exact=True).click()


def test_a_conversation_is_found_read_tagged_judged_deleted_and_restored(reader: Page) -> None:
    owner = User.objects.get(email=create_account())
    drafts = dialogue("Where is my quokka?", "In the invoice.")
    conversation, _ = conversations.create(user=owner, fields={"title": "An order"}, drafts=drafts)

    reader.goto("/admin/search/")
    reader.locator("#content input[name=q]").fill("quokka")
    reader.keyboard.press("Enter")
    reader.locator(".hits a").first.click()
    expect(reader.get_by_role("heading", name="An order")).to_be_visible()
    expect(reader.locator("#message-1 mark")).to_have_text("quokka")

    reader.get_by_role("link", name="Edit").click()
    reader.get_by_label("Tags").fill("lost")
    reader.get_by_role("button", name="Save", exact=True).click()
    expect(reader.locator("aside.about")).to_contain_text("lost")

    reader.goto(page_of(conversation) + "?at=2#message-2")
    reader.keyboard.press("v")
    reader.locator("#message-2").get_by_role("button", name="Bad").click()
    expect(reader.locator("#message-2 span.badge")).to_have_text("Bad")

    run_action(reader, conversation, "Move to trash")
    expect(reader.locator(".messagelist")).to_contain_text("moved to the trash: 1")
    run_action(reader, conversation, "Restore")
    expect(reader.locator(".messagelist")).to_contain_text("restored: 1")

    reader.goto(list_of(AuditEvent))
    events = reader.locator("#result_list")
    for event in ("restored", "moved to the trash", "judged", "changed", "read a transcript", "searched"):
        expect(events).to_contain_text(event)
