"""Search in the web app: the search page, the palette and the list of keyboard shortcuts."""

import re
from urllib.parse import quote

from playwright.sync_api import Locator, Page, Route, expect

from accounts.models import User
from conversations.services import branches
from testing.cast import create_conversation, message_with_text

from .web import Problems

HOSTILE = '<img src=x onerror="document.title=1"><script>document.title = 2</script> & <mark>marmot</mark> &lt;b&gt;'


def field(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Search conversations and messages")


def palette(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Search and commands")


def open_search(page: Page, q: str = "") -> None:
    page.goto(f"/app/search?q={quote(q)}" if q else "/app/search")
    expect(field(page)).to_be_focused()


def open_palette(page: Page) -> None:
    page.goto("/app/search")
    expect(field(page)).to_be_focused()
    page.keyboard.press("Control+k")
    expect(palette(page).get_by_role("combobox")).to_be_focused()


def status(page: Page) -> Locator:
    """What the search page says about its results."""
    return page.get_by_role("main").get_by_role("status")


def active_option(page: Page) -> Locator:
    return page.get_by_role("option", selected=True)


def test_a_hit_opens_its_message_and_back_returns_to_the_place_in_the_results(alice_page: Page, alice: User) -> None:
    for number in range(45):
        create_conversation(alice, f"Where do marmots sleep, question {number}?")
    open_search(alice_page)
    field(alice_page).press_sequentially("marmot")
    expect(alice_page).to_have_url(re.compile(r"/app/search\?q=marmot$"))
    hits = alice_page.locator(".hit", has=alice_page.locator(".hit-snippet"))
    expect(hits.first.locator("mark")).to_have_text("marmot")
    hits.nth(19).scroll_into_view_if_needed()  # the end of the first page, so the next one is loaded
    hit = hits.filter(has_text="question 20?")
    hit.scroll_into_view_if_needed()
    position = alice_page.evaluate("document.querySelector('main').scrollTop")
    assert position > 500
    hit.click()
    expect(alice_page).to_have_url(re.compile(r"/app/c/[\w-]+\?message=[\w-]+$"))
    alice_page.go_back()
    expect(field(alice_page)).to_have_value("marmot")
    expect(hit).to_be_in_viewport()
    assert abs(alice_page.evaluate("document.querySelector('main').scrollTop") - position) < 5


def test_operators_are_offered_and_completed_by_the_keyboard(alice_page: Page, alice: User) -> None:
    create_conversation(alice, "A question about marmots", "An answer about marmots", tags=["two words"])
    open_search(alice_page)
    keyboard = alice_page.keyboard
    keyboard.type("marmots ro")
    expect(alice_page.get_by_role("option")).to_have_text(["role:who wrote it"])
    keyboard.press("ArrowDown")
    expect(active_option(alice_page)).to_contain_text("role:")
    keyboard.press("Enter")
    expect(field(alice_page)).to_have_value("marmots role:")
    keyboard.type("us")
    keyboard.press("ArrowDown")
    keyboard.press("Tab")
    expect(field(alice_page)).to_have_value("marmots role:user ")
    expect(alice_page.get_by_role("option")).to_have_count(0)
    expect(status(alice_page)).to_have_text("1 message")
    keyboard.type("tag:")
    expect(alice_page.get_by_role("option")).to_have_text(["two words"])
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    expect(field(alice_page)).to_have_value('marmots role:user tag:"two words" ')
    expect(alice_page).to_have_url(re.compile("tag%3A%22two%20words%22|tag%3A%22two\\+words%22"))


def test_the_address_keeps_numbers_and_quotation_marks(alice_page: Page, alice: User) -> None:
    create_conversation(alice, "In 2026, marmots sleep well")
    open_search(alice_page, "2026")
    expect(field(alice_page)).to_have_value("2026")
    expect(alice_page.locator(".hit-snippet mark")).to_have_text("2026")
    open_search(alice_page, '"marmots sleep"')
    expect(field(alice_page)).to_have_value('"marmots sleep"')
    expect(alice_page.locator(".hit-snippet mark").first).to_be_visible()


def test_results_are_reached_by_the_arrow_keys(alice_page: Page, alice: User) -> None:
    create_conversation(alice, "A question about marmots", "An answer about marmots")
    open_search(alice_page, "answer")
    expect(alice_page.locator(".hit")).to_have_count(1)
    alice_page.keyboard.press("ArrowDown")
    expect(alice_page.locator(".hit")).to_be_focused()
    alice_page.keyboard.press("ArrowUp")
    expect(field(alice_page)).to_be_focused()


def test_hostile_text_in_a_hit_is_shown_as_text(alice_page: Page, alice: User) -> None:
    create_conversation(alice, f"zibeline {HOSTILE}", title=HOSTILE)
    open_search(alice_page, "zibeline")
    expect(alice_page.locator(".hit-snippet")).to_have_text(f"zibeline {HOSTILE}")
    expect(alice_page.locator(".hit mark")).to_have_text(["zibeline"])
    expect(alice_page.locator(".hit strong")).to_have_text(HOSTILE)
    assert alice_page.locator("main img, main script").count() == 0
    expect(alice_page).to_have_title("zibeline · chatstore")
    alice_page.keyboard.press("Control+k")
    alice_page.keyboard.type("zibeline")
    expect(palette(alice_page).get_by_role("option").filter(has_text="onerror").first).to_be_visible()
    assert palette(alice_page).locator("img, script").count() == 0


def test_a_hit_on_another_branch_says_so(alice_page: Page, alice: User) -> None:
    conversation = create_conversation(alice, "A question", "An answer about marmots")
    answer = message_with_text(conversation, "An answer about marmots")
    branches.branch(user=alice, message_id=answer.id, changes={"content": "Another answer"})
    open_search(alice_page, "marmots")
    hit = alice_page.get_by_role("link").filter(has_text="An answer about marmots")
    expect(hit).to_contain_text("On another branch")
    expect(hit).to_have_attribute("href", f"/app/c/{conversation.id}?message={answer.id}")
    open_search(alice_page, "another answer")
    expect(alice_page.locator(".hit")).not_to_contain_text("On another branch")


def test_a_search_that_is_too_slow_is_explained(alice_page: Page, problems: Problems) -> None:
    body = '{"error": {"code": "search_too_slow", "message": "Too slow.", "field": null, "details": []}}'
    alice_page.route(
        "**/api/v1/search/?*", lambda route: route.fulfill(status=400, content_type="application/json", body=body)
    )
    open_search(alice_page, "marmots")
    expect(alice_page.get_by_role("alert")).to_contain_text("Add a rarer word")
    problems.expect("status of 400")


def test_an_empty_page_leads_to_older_messages(alice_page: Page) -> None:
    pages = iter(
        [
            '{"conversations": [], "results": [], "searched_since": "2026-02-03T04:05:06Z", "next": "/x?cursor=abc"}',
            '{"conversations": [], "results": [], "searched_since": null, "next": null}',
        ]
    )
    alice_page.route(
        "**/api/v1/search/?*", lambda route: route.fulfill(content_type="application/json", body=next(pages))
    )
    open_search(alice_page, "role:system")
    expect(status(alice_page)).to_contain_text("Searched back to")
    with alice_page.expect_request(re.compile("cursor=abc")):
        alice_page.get_by_role("button", name="Search older messages").click()
    expect(status(alice_page)).to_have_text("Nothing matches role:system")


def test_an_answer_to_an_older_query_does_not_replace_a_newer_one(alice_page: Page, alice: User) -> None:
    create_conversation(alice, "Slow lorises climb")
    create_conversation(alice, "Quick marmots dig")
    held: list[Route] = []
    alice_page.route("**/api/v1/search/?q=lorises*", lambda route: held.append(route))
    open_search(alice_page)
    field(alice_page).fill("lorises")
    expect(alice_page).to_have_url(re.compile("q=lorises"))
    with alice_page.expect_event("requestfailed") as given_up:
        field(alice_page).fill("marmots")
    assert "q=lorises" in given_up.value.url
    assert len(held) == 1
    expect(alice_page.locator(".hit-snippet")).to_have_text("Quick marmots dig")


def test_the_palette_opens_a_conversation_by_the_keyboard_alone(alice_page: Page, alice: User) -> None:
    create_conversation(alice, "A question", title="Burrows")
    lisbon = create_conversation(alice, "A question", title="Lisbon in May")
    create_conversation(alice, "A question", title="Porto")
    open_palette(alice_page)
    expect(active_option(alice_page)).to_contain_text("Porto")
    alice_page.keyboard.press("ArrowDown")
    expect(active_option(alice_page)).to_contain_text("Lisbon in May")
    alice_page.keyboard.type("may lis")
    expect(active_option(alice_page)).to_contain_text("Lisbon in May")
    alice_page.keyboard.press("Enter")
    expect(alice_page).to_have_url(re.compile(f"/app/c/{lisbon.id}$"))
    expect(palette(alice_page)).to_have_count(0)


def test_ctrl_enter_opens_a_message_in_a_new_tab(alice_page: Page, alice: User) -> None:
    conversation = create_conversation(alice, "Where do marmots sleep?", title="Animals")
    open_palette(alice_page)
    alice_page.keyboard.type("marmots")
    expect(active_option(alice_page)).to_contain_text("Where do marmots sleep?")
    with alice_page.context.expect_page() as tab:
        alice_page.keyboard.press("Control+Enter")
    assert f"/app/c/{conversation.id}?message=" in tab.value.url
    assert alice_page.url.endswith("/app/search")


def test_escape_closes_the_palette_and_gives_the_focus_back(alice_page: Page) -> None:
    open_palette(alice_page)
    alice_page.keyboard.press("Escape")
    expect(palette(alice_page)).to_have_count(0)
    expect(field(alice_page)).to_be_focused()


def test_the_palette_leads_to_the_search_page_and_runs_commands(alice_page: Page) -> None:
    open_palette(alice_page)
    alice_page.keyboard.type('"no such thing"')
    expect(active_option(alice_page)).to_have_text('Search everything for “"no such thing"”')
    alice_page.keyboard.press("Enter")
    expect(field(alice_page)).to_have_value('"no such thing"')
    expect(status(alice_page)).to_have_text('Nothing matches "no such thing"')
    alice_page.keyboard.press("Control+k")
    alice_page.keyboard.type("theme dark")
    expect(active_option(alice_page)).to_have_text("Theme: dark")
    alice_page.keyboard.press("Enter")
    expect(alice_page.locator("html")).to_have_attribute("data-theme", "dark")


def test_a_question_mark_shows_the_keyboard_shortcuts_but_not_in_a_field(alice_page: Page) -> None:
    open_search(alice_page)
    alice_page.keyboard.press("?")
    expect(field(alice_page)).to_have_value("?")
    alice_page.get_by_role("main").focus()
    alice_page.keyboard.press("?")
    expect(alice_page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    alice_page.keyboard.press("Escape")
    expect(alice_page.get_by_role("dialog")).to_have_count(0)
