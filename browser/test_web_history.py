"""The history of the web app: the sidebar, the menu of a conversation, the archive and the trash."""

import re
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import FloatRect, Locator, Page, Route, expect

from accounts.models import User
from conversations.models import Conversation
from conversations.services import holds

from .web import Problems, SignIn


def create(user: User, *titles: str, **values: object) -> list[Conversation]:
    """Create conversations. The first was active last."""
    now = timezone.now()
    rows = [
        Conversation(
            user=user, title=title, active_at=now - timedelta(seconds=age), created_at=now, updated_at=now, **values
        )
        for age, title in enumerate(titles)
    ]
    return Conversation.objects.bulk_create(rows)


def rows(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Conversations").locator(".row")


def row(page: Page, title: str) -> Locator:
    return rows(page).filter(has_text=title)


def choose(page: Page, title: str, *names: str) -> None:
    """Open the menu of a conversation in the sidebar, and press the items with these names."""
    row(page, title).hover()
    row(page, title).get_by_role("button", name="Actions").click()
    for name in names:
        page.get_by_role("menuitem", name=name, exact=True).click()


def box(locator: Locator) -> FloatRect:
    """Return where the element is on the screen."""
    found = locator.bounding_box()
    assert found
    return found


def come_back(page: Page) -> None:
    """Do what the browser does when the user comes back to the tab."""
    page.evaluate("window.dispatchEvent(new Event('visibilitychange'))")


@pytest.fixture
def sidebar(alice_page: Page, alice: User) -> Page:
    """The app with three conversations: Berlin, Lisbon and Porto."""
    create(alice, "Berlin", "Lisbon", "Porto")
    alice_page.goto("/app/")
    expect(rows(alice_page)).to_have_text(["Berlin", "Lisbon", "Porto"])
    return alice_page


def stored(user: User, title: str) -> Conversation:
    return Conversation.objects.get(user=user, title=title)


def change_stored(page: Page) -> AbstractContextManager[Any]:
    """Wait at the end of the block until the server has stored a change. The page shows it before."""
    return page.expect_response(lambda response: response.request.method in ("PATCH", "POST"))


def test_a_title_is_changed_in_place_with_f2_and_enter(sidebar: Page, alice: User) -> None:
    row(sidebar, "Lisbon").get_by_role("link").focus()
    sidebar.keyboard.press("F2")
    sidebar.keyboard.type("Lisbon in May")
    with change_stored(sidebar):
        sidebar.keyboard.press("Enter")
        expect(row(sidebar, "Lisbon in May").get_by_role("link")).to_be_focused()
        expect(rows(sidebar)).to_have_text(["Berlin", "Lisbon in May", "Porto"])
    sidebar.reload()
    expect(rows(sidebar)).to_have_text(["Berlin", "Lisbon in May", "Porto"])


def test_escape_keeps_the_title_and_a_double_click_changes_it(sidebar: Page) -> None:
    choose(sidebar, "Lisbon", "Rename")
    sidebar.keyboard.type("Nothing")
    sidebar.keyboard.press("Escape")
    expect(rows(sidebar)).to_have_text(["Berlin", "Lisbon", "Porto"])
    row(sidebar, "Porto").get_by_role("link").dblclick()
    sidebar.get_by_role("textbox", name="Title").fill("Porto in June")
    sidebar.get_by_role("link", name="New conversation").focus()  # leaving the field saves
    expect(rows(sidebar)).to_have_text(["Berlin", "Lisbon", "Porto in June"])


def test_a_change_that_fails_is_taken_back_and_explained(sidebar: Page, problems: Problems) -> None:
    refusal = '{"error": {"code": "unavailable", "message": "Not now."}}'
    sidebar.route(
        re.compile("conversations/(bulk/)?[^?]*$"),
        lambda route: (
            route.continue_()
            if route.request.method == "GET"
            else route.fulfill(status=503, content_type="application/json", body=refusal)
        ),
    )
    choose(sidebar, "Lisbon", "Archive")
    expect(sidebar.get_by_text("Not now.")).to_be_visible()
    expect(rows(sidebar)).to_have_text(["Berlin", "Lisbon", "Porto"])
    row(sidebar, "Berlin").get_by_role("link").focus()
    sidebar.keyboard.press("F2")
    sidebar.keyboard.type("Hamburg")
    sidebar.keyboard.press("Enter")
    expect(sidebar.get_by_text("Not now.")).to_have_count(2)
    expect(rows(sidebar)).to_have_text(["Berlin", "Lisbon", "Porto"])
    problems.expect("status of 503")


def test_a_pinned_conversation_is_in_its_own_section_at_the_top(sidebar: Page, alice: User) -> None:
    choose(sidebar, "Porto", "Pin")
    expect(rows(sidebar)).to_have_text(["Porto", "Berlin", "Lisbon"])
    expect(sidebar.get_by_role("heading", name="Pinned")).to_be_visible()
    expect(sidebar.get_by_role("heading", name="Today")).to_be_visible()
    choose(sidebar, "Porto", "Unpin")
    expect(rows(sidebar)).to_have_text(["Berlin", "Lisbon", "Porto"])
    expect(sidebar.get_by_text("Conversation unpinned")).to_be_visible()
    assert not stored(alice, "Porto").is_pinned


def test_an_archived_conversation_is_in_the_archive_only(sidebar: Page, alice: User) -> None:
    choose(sidebar, "Lisbon", "Archive")
    expect(rows(sidebar)).to_have_text(["Berlin", "Porto"])
    sidebar.get_by_role("link", name="Archived conversations").click()
    main = sidebar.get_by_role("main")
    expect(main.get_by_role("link", name="Lisbon")).to_be_visible()
    main.get_by_role("button", name="Take “Lisbon” out of the archive").click()
    expect(main.get_by_text("The archive is empty.")).to_be_visible()
    expect(rows(sidebar)).to_have_text(["Berlin", "Lisbon", "Porto"])


def test_a_move_to_the_trash_can_be_undone_and_the_focus_goes_to_the_next_row(sidebar: Page, alice: User) -> None:
    choose(sidebar, "Lisbon", "Move to the trash")
    expect(rows(sidebar)).to_have_text(["Berlin", "Porto"])
    expect(row(sidebar, "Porto").get_by_role("link")).to_be_focused()
    with change_stored(sidebar):
        sidebar.get_by_role("button", name="Undo").click()
        expect(rows(sidebar)).to_have_text(["Berlin", "Lisbon", "Porto"])
    sidebar.reload()
    expect(rows(sidebar)).to_have_text(["Berlin", "Lisbon", "Porto"])


def test_the_keys_of_undo_restore_what_was_moved_to_the_trash(sidebar: Page) -> None:
    row(sidebar, "Lisbon").get_by_role("link").press("Delete")
    expect(rows(sidebar)).to_have_text(["Berlin", "Porto"])
    sidebar.get_by_role("button", name="Undo").wait_for()
    row(sidebar, "Porto").get_by_role("link").press("Control+z")
    expect(rows(sidebar)).to_have_text(["Berlin", "Lisbon", "Porto"])


def test_after_the_open_conversation_is_trashed_a_new_one_follows_until_undo(sidebar: Page) -> None:
    row(sidebar, "Lisbon").get_by_role("link").click()
    expect(row(sidebar, "Lisbon").get_by_role("link")).to_have_attribute("aria-current", "page")
    expect(sidebar.get_by_role("textbox", name="Message")).to_be_focused()
    row(sidebar, "Lisbon").get_by_role("link").press("Delete")
    expect(rows(sidebar)).to_have_text(["Berlin", "Porto"])
    expect(sidebar).to_have_url(re.compile("/app/?$"))
    sidebar.get_by_role("button", name="Undo").click()
    expect(sidebar).to_have_url(re.compile("/app/c/"))
    expect(row(sidebar, "Lisbon").get_by_role("link")).to_have_attribute("aria-current", "page")
    expect(sidebar.get_by_role("main").get_by_text("Lisbon")).to_be_visible()


def test_the_page_of_the_trash_restores_and_deletes_permanently(alice_page: Page, alice: User) -> None:
    create(alice, "Berlin", "Lisbon", "Porto", deleted_at=timezone.now() - timedelta(days=10))
    alice_page.goto("/app/trash")
    main = alice_page.get_by_role("main")
    expect(main.get_by_text("20 days left")).to_have_count(3)
    main.get_by_role("button", name="Restore “Lisbon”").click()
    expect(rows(alice_page)).to_have_text(["Lisbon"])
    main.get_by_role("button", name="Delete “Berlin” permanently").click()
    alice_page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(main.get_by_text("Berlin")).to_be_visible()
    main.get_by_role("button", name="Delete “Berlin” permanently").click()
    alice_page.get_by_role("dialog").get_by_role("button", name="Delete permanently").click()
    expect(main.locator(".row")).to_have_count(1)
    expect(alice_page.get_by_text("Conversation deleted permanently")).to_be_visible()
    assert not Conversation.objects.filter(user=alice, title="Berlin").exists()


def test_a_conversation_on_hold_says_that_it_must_be_kept(alice_page: Page, alice: User, problems: Problems) -> None:
    [kept] = create(alice, "Evidence", deleted_at=timezone.now())
    holds.place(user=alice, conversation_id=kept.id, reason="Case 7", by=alice)
    alice_page.goto("/app/trash")
    alice_page.get_by_role("button", name="Delete “Evidence” permanently").click()
    dialog = alice_page.get_by_role("dialog")
    dialog.get_by_role("button", name="Delete permanently").click()
    expect(dialog.get_by_text("is on hold")).to_be_visible()
    dialog.get_by_role("button", name="Close").last.click()
    expect(alice_page.get_by_role("main").get_by_text("Evidence")).to_be_visible()
    problems.expect("status of 409")


def test_a_range_of_conversations_is_trashed_at_once_and_restored_by_undo(alice_page: Page, alice: User) -> None:
    create(alice, *(f"Chat {number}" for number in range(1, 6)))
    alice_page.goto("/app/")
    alice_page.get_by_role("button", name="Select conversations").click()
    row(alice_page, "Chat 2").get_by_role("checkbox").click()
    row(alice_page, "Chat 4").get_by_role("checkbox").click(modifiers=["Shift"])
    expect(alice_page.get_by_text("3 selected")).to_be_visible()
    alice_page.get_by_role("toolbar").get_by_role("button", name="Move to the trash").click()
    expect(rows(alice_page)).to_have_text(["Chat 1", "Chat 5"])
    with change_stored(alice_page):
        alice_page.get_by_role("button", name="Undo").click()
        expect(rows(alice_page)).to_have_count(5)
    alice_page.reload()
    expect(rows(alice_page)).to_have_count(5)


def test_all_loaded_conversations_get_a_tag(sidebar: Page, alice: User) -> None:
    sidebar.get_by_role("button", name="Select conversations").click()
    sidebar.get_by_role("button", name="Select all").click()
    sidebar.get_by_role("button", name="Add tags").click()
    sidebar.get_by_role("textbox", name="New tag").fill("travel")
    sidebar.keyboard.press("Enter")
    sidebar.get_by_role("button", name="Save").click()
    expect(sidebar.get_by_text("3 conversations tagged “travel”")).to_be_visible()
    sidebar.get_by_role("button", name="Stop selecting").click()
    sidebar.get_by_role("button", name="Tags and notebooks").click()
    expect(sidebar.get_by_role("button", name="travel 3")).to_be_visible()


def test_a_row_that_is_dragged_to_a_tag_gets_it_and_a_tag_filters_the_list(sidebar: Page, alice: User) -> None:
    Conversation.objects.filter(user=alice, title="Berlin").update(tags=["travel"])
    sidebar.reload()
    sidebar.get_by_role("button", name="Tags and notebooks").click()
    tag = sidebar.get_by_role("button", name="travel")
    row(sidebar, "Porto").get_by_role("link").drag_to(tag)
    expect(sidebar.get_by_role("button", name="travel 2")).to_be_visible()
    tag.click()
    expect(rows(sidebar)).to_have_text(["Berlin", "Porto"])
    assert stored(alice, "Porto").tags == ["travel"]


def test_tags_are_changed_in_the_menu(sidebar: Page, alice: User) -> None:
    Conversation.objects.filter(user=alice, title="Berlin").update(tags=["travel", "work"])
    sidebar.reload()
    choose(sidebar, "Berlin", "Tags…")
    sidebar.get_by_role("button", name="Remove “work”").click()
    sidebar.get_by_role("textbox", name="New tag").fill("2027")
    sidebar.keyboard.press("Enter")
    with change_stored(sidebar):
        sidebar.keyboard.press("Enter")
    expect(row(sidebar, "Berlin").get_by_role("button")).to_be_focused()
    sidebar.reload()
    choose(sidebar, "Berlin", "Tags…")
    chosen = sidebar.get_by_role("list", name="Chosen tags").get_by_role("button")
    expect(chosen).to_have_text(["travel", "2027"])


def test_a_menu_that_is_opened_while_the_app_loads_stays_open(alice_page: Page, alice: User) -> None:
    create(alice, "Berlin")
    waiting: list[Route] = []
    alice_page.route("**/api/v1/me/", lambda route: waiting.append(route))
    alice_page.goto("/app/")
    row(alice_page, "Berlin").hover()
    row(alice_page, "Berlin").get_by_role("button", name="Actions").click()
    expect(alice_page.get_by_role("menuitem", name="Rename")).to_be_focused()
    for route in waiting:
        route.continue_()
    expect(alice_page.get_by_role("textbox", name="Message")).to_be_visible()
    expect(alice_page.get_by_role("menuitem", name="Rename")).to_be_focused()


def test_a_long_list_is_loaded_page_by_page_without_duplicates(alice_page: Page, alice: User) -> None:
    titles = [f"Chat {number:03}" for number in range(130)]
    create(alice, *titles)
    alice_page.goto("/app/")
    expect(rows(alice_page).first).to_have_text(titles[0])
    assert rows(alice_page).count() < len(titles)
    Conversation.objects.filter(user=alice, title=titles[125]).update(active_at=timezone.now())
    while rows(alice_page).count() < len(titles) - 1:
        rows(alice_page).last.scroll_into_view_if_needed()
    come_back(alice_page)
    moved = [titles[125], *titles[:125], *titles[126:]]
    expect(rows(alice_page)).to_have_text(moved)


def test_a_conversation_can_be_exported(sidebar: Page) -> None:
    choose(sidebar, "Lisbon", "Export")
    with sidebar.expect_download() as download:
        sidebar.get_by_role("menuitem", name="Markdown").click()
    assert download.value.suggested_filename.endswith(".md")


def test_the_arrow_keys_move_between_rows_and_into_the_menu(sidebar: Page) -> None:
    row(sidebar, "Berlin").get_by_role("link").focus()
    sidebar.keyboard.press("ArrowDown")
    expect(row(sidebar, "Lisbon").get_by_role("link")).to_be_focused()
    sidebar.keyboard.press("Tab")
    sidebar.keyboard.press("Enter")
    expect(sidebar.get_by_role("menuitem", name="Rename")).to_be_focused()
    sidebar.keyboard.press("Escape")
    expect(row(sidebar, "Lisbon").get_by_role("button")).to_be_focused()


def test_the_lists_of_another_user_never_appear(sidebar: Page, sign_in: SignIn, bob: User, alice: User) -> None:
    create(alice, "Secret archive", archived_at=timezone.now())
    create(alice, "Secret trash", deleted_at=timezone.now())
    create(bob, "Mine")
    page = sign_in(bob)
    for address in ["/app/", "/app/archive", "/app/trash"]:
        page.goto(address)
        expect(rows(page)).to_have_text(["Mine"])
        expect(page.get_by_text("Secret")).to_have_count(0)
        expect(page.get_by_text("Lisbon")).to_have_count(0)


def test_the_sidebar_stays_collapsed_and_is_a_drawer_on_a_phone(sidebar: Page, sign_in: SignIn, alice: User) -> None:
    sidebar.get_by_role("button", name="Hide the sidebar").click()
    sidebar.reload()
    expect(sidebar.get_by_role("button", name="Show the sidebar")).to_be_visible()
    expect(row(sidebar, "Lisbon")).to_be_hidden()
    phone = sign_in(alice, viewport={"width": 390, "height": 844}, has_touch=True)
    phone.goto("/app/")
    expect(row(phone, "Lisbon")).to_be_hidden()
    phone.get_by_role("button", name="Conversations").click()
    expect(row(phone, "Lisbon").get_by_role("button")).to_be_visible()
    for _ in range(2):  # the second time, Lisbon is the page behind the drawer
        row(phone, "Lisbon").get_by_role("link").click()
        expect(row(phone, "Lisbon")).to_be_hidden()
        phone.get_by_role("button", name="Conversations").click()
    row(phone, "Lisbon").get_by_role("link").press("Escape")
    expect(row(phone, "Lisbon")).to_be_hidden()
    expect(phone.get_by_role("button", name="Conversations")).to_be_focused()


def test_the_drawer_has_room_for_four_rows_on_a_phone_in_landscape(sign_in: SignIn, alice: User) -> None:
    create(alice, *[f"Conversation {number}" for number in range(10)], tags=["travel"])
    phone = sign_in(alice, viewport={"width": 740, "height": 360}, has_touch=True)
    phone.goto("/app/")
    phone.get_by_role("button", name="Conversations").click()
    expect(phone.get_by_role("button", name="Tags and notebooks")).to_be_visible()
    expect(row(phone, "Conversation 3")).to_be_in_viewport(ratio=1)
    fourth, foot = box(row(phone, "Conversation 3")), box(phone.get_by_role("link", name="Trash"))
    assert fourth["y"] + fourth["height"] <= foot["y"]
    phone.get_by_role("button", name="Search", exact=True).click()
    expect(phone.get_by_role("dialog", name="Search and commands")).to_be_visible()


def test_on_a_phone_the_title_and_the_buttons_of_the_frame_are_in_one_row(sign_in: SignIn, alice: User) -> None:
    create(alice, "A title " * 40)
    phone = sign_in(alice, viewport={"width": 390, "height": 844}, has_touch=True)
    phone.goto(f"/app/c/{Conversation.objects.get(user=alice).id}")
    menu = box(phone.get_by_role("button", name="Conversations"))
    title = box(phone.get_by_role("heading", name="A title"))
    new = box(phone.get_by_role("link", name="New conversation"))
    assert menu["y"] < title["y"] < menu["y"] + menu["height"]
    assert menu["x"] + menu["width"] <= title["x"]
    assert title["x"] + title["width"] <= new["x"]
    phone.get_by_role("link", name="New conversation").click()
    expect(phone).to_have_url(re.compile("/app/?$"))


def test_a_change_elsewhere_below_the_first_page_is_shown_when_the_user_comes_back(
    alice_page: Page, alice: User
) -> None:
    conversations = create(alice, *(f"Chat {number}." for number in range(120)))
    alice_page.goto("/app/")
    for number in (40, 90, 119):
        row(alice_page, f"Chat {number}.").scroll_into_view_if_needed()
    Conversation.objects.filter(id=conversations[110].id).update(title="Renamed")
    Conversation.objects.filter(id=conversations[112].id).update(deleted_at=timezone.now())
    come_back(alice_page)
    expect(row(alice_page, "Renamed")).to_be_visible()
    expect(row(alice_page, "Chat 112.")).to_have_count(0)
    expect(rows(alice_page)).to_have_count(119)
