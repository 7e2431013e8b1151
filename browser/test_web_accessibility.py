"""axe-core finds no serious problem on the screens of the web app, in the light and the dark theme.

A new screen belongs in SCREENS. A dialog, or another part that appears only after an action, has a test of its own.
"""

import json
from threading import Event
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from conversations.models import Conversation
from conversations.services import conversations, shares
from testing.cast import create_conversation
from testing.fake_provider import FakeProvider, fails, streams

from .site import PASSWORD
from .staff import serious_problems
from .web import Problems, SignIn, ask, last, sign_in_ten_minutes_ago

ANSWER = """# A heading

A paragraph with **strong** words, `code` and a [link](https://example.com/), and $x^2$.

* a list
* with two items

| city | hills |
|---|---|
| Lisbon | 7 |

> A quotation.

```python
def greet(name):
    return f"Hello, {name}"  # a comment
```
"""
SCREENS = {
    "a new conversation": "/app/",
    "a conversation": "/app/c/{conversation}",
    "the search": "/app/search",
    "results of a search": "/app/search?q=Lisbon",
    "the archive": "/app/archive",
    "the trash": "/app/trash",
    "the general settings": "/app/settings/general",
    "the account": "/app/settings/account",
    "the API tokens": "/app/settings/tokens",
    "the usage": "/app/settings/usage",
    "the data": "/app/settings/data",
    "the shares": "/app/settings/shares",
    "the e-mail addresses": "/accounts/email/",
    "the second factors": "/accounts/2fa/",
    "the set-up of an authenticator app": "/accounts/2fa/totp/activate/",
    "the sessions": "/accounts/sessions/",
    "the change of the password": "/accounts/password/change/",
    "an address without a page": "/app/nowhere",
}
PUBLIC = {"the welcome page": "/", "the sign-in page": "/accounts/login/", "the sign-up page": "/accounts/signup/"}


@pytest.fixture
def conversation(alice: User) -> Conversation:
    """A conversation with all kinds of content, beside a pinned, an archived and a deleted one."""
    create_conversation(alice, "A pinned question", "An answer", is_pinned=True, tags=["travel"])
    create_conversation(alice, "An archived question", "An answer", is_archived=True)
    deleted = create_conversation(alice, "A deleted question", "An answer")
    conversations.trash(user=alice, conversation_id=deleted.id)
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Lisbon"}'}}
    drafts: list[Any] = [
        {"role": "user", "content": "Where should I stay in Lisbon? **Not** Markdown"},
        {"role": "assistant", "content": "", "tool_calls": [call], "reasoning": "The weather matters."},
        {"role": "tool", "content": json.dumps({"degrees": 21}), "tool_call_id": "call_1", "name": "weather"},
        {"role": "assistant", "content": ANSWER, "model": "openai", "prompt_tokens": 7, "completion_tokens": 90},
        {"role": "user", "content": "أين أقيم في لشبونة؟"},
        {"role": "assistant", "content": "", "status": "failed"},
    ]
    return conversations.create(user=alice, fields={"title": "Lisbon"}, drafts=drafts)[0]


def test_the_screens_have_no_serious_problems(alice_page: Page, conversation: Conversation) -> None:
    found = {name: problems_at(alice_page, path.format(conversation=conversation.id)) for name, path in SCREENS.items()}
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_the_screens_for_visitors_have_no_serious_problems(
    sign_in: SignIn, alice: User, conversation: Conversation
) -> None:
    page = sign_in(None)
    share = shares.create(user=alice, conversation_id=conversation.id)
    paths = PUBLIC | {"a shared conversation": f"/share/{share.token}/"}
    found = {name: problems_at(page, path) for name, path in paths.items()}
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_a_menu_the_share_dialog_and_the_palette_have_no_serious_problems_on_a_phone(
    sign_in: SignIn, alice: User, conversation: Conversation
) -> None:
    page = sign_in(alice, viewport={"width": 390, "height": 844})
    page.goto(f"/app/c/{conversation.id}")
    press(page, "Conversations")
    row = page.get_by_role("navigation", name="Conversations").locator(".row").first
    row.hover()
    row.get_by_role("button", name="Actions").click()
    expect(page.get_by_role("menu").first).to_be_visible()
    assert problems_of(page) == []
    page.get_by_role("menuitem", name="Share…").click()
    expect(page.get_by_role("dialog", name="Share").get_by_role("button", name="Create a link")).to_be_visible()
    assert problems_of(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog").get_by_role("combobox")).to_be_focused()
    assert problems_of(page) == []


def test_a_new_link_and_the_question_before_it_is_revoked_have_no_serious_problems(
    alice_page: Page, conversation: Conversation
) -> None:
    alice_page.goto(f"/app/c/{conversation.id}")
    alice_page.get_by_role("button", name="Share up to this message…").first.click()
    dialog = alice_page.get_by_role("dialog")
    press(dialog, "Create a link")
    dialog.get_by_role("button", name="Revoke “").click()
    expect(dialog.get_by_role("button", name="Revoke the link")).to_be_focused()
    assert problems_of(alice_page) == []
    alice_page.goto("/app/settings/shares")
    alice_page.get_by_role("button", name="Revoke “").click()
    assert problems_of(alice_page) == []


def test_a_reply_that_grows_one_that_has_failed_and_a_question_that_waits_have_no_serious_problems(
    alice_page: Page, conversation: Conversation, model: FakeProvider, problems: Problems
) -> None:
    gate = Event()
    model.behavior = streams(gate, ends=False)
    alice_page.goto(f"/app/c/{conversation.id}")
    ask(alice_page, "Are you there?")
    expect(last(alice_page)).to_contain_text("The model is thinking.")
    assert problems_of(alice_page) == []
    model.behavior = fails(401)
    gate.set()
    expect(alice_page.locator(".message-failure")).to_have_count(2)
    body: Any = {"error": {"code": "unavailable", "message": "Not now.", "field": None, "details": []}}
    alice_page.route("**/reply/", lambda route: route.fulfill(status=503, json=body))
    ask(alice_page, "And now?")
    expect(alice_page.get_by_role("button", name="Send now")).to_be_visible()
    last(alice_page).hover()
    assert problems_of(alice_page) == []
    problems.expect("status of 503")


def test_the_fields_and_lists_that_open_have_no_serious_problems(alice_page: Page, conversation: Conversation) -> None:
    alice_page.goto("/app/search")
    alice_page.get_by_role("main").get_by_role("combobox").fill("Lisbon ro")
    expect(alice_page.get_by_role("option")).to_have_count(1)
    assert problems_of(alice_page) == []
    alice_page.keyboard.press("Control+k")
    alice_page.get_by_role("dialog").get_by_role("combobox").fill("Lisbon")
    expect(alice_page.get_by_role("dialog").locator("mark").first).to_be_visible()
    assert problems_of(alice_page) == []


def test_a_selection_in_the_sidebar_and_in_the_trash_has_no_serious_problems(
    alice_page: Page, conversation: Conversation
) -> None:
    alice_page.goto("/app/trash")
    press(alice_page, "Select conversations")
    alice_page.get_by_role("navigation", name="Conversations").get_by_role("checkbox").first.check()
    alice_page.get_by_role("checkbox", name="Select “A deleted question”").check()
    assert problems_of(alice_page) == []
    press(alice_page.get_by_role("main"), "Delete permanently")
    expect(alice_page.get_by_role("dialog")).to_be_visible()
    assert problems_of(alice_page) == []


def test_the_dialogs_of_the_settings_have_no_serious_problems(
    sign_in: SignIn, alice: User, app_address: str, problems: Problems
) -> None:
    page = sign_in(None)
    sign_in_ten_minutes_ago(page, alice, app_address)
    page.goto("/app/settings/tokens")
    page.get_by_label("Name").fill("Backup script")
    press(page, "Create a token")
    password = page.get_by_role("dialog").get_by_label("Password")
    password.fill("wrong")
    password.press("Enter")
    expect(password).to_have_attribute("aria-invalid", "true")
    assert problems_of(page) == []
    password.fill(PASSWORD)
    password.press("Enter")
    expect(page.get_by_label("Token", exact=True)).to_be_focused()
    assert problems_of(page) == []
    press(page, "I have stored it")
    press(page, "Revoke Backup script")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert problems_of(page) == []
    page.goto("/app/settings/data")
    press(page, "Erase the account…")
    press(page.get_by_role("dialog"), "Erase permanently")
    expect(page.get_by_text("This is not the address of your account.")).to_be_visible()
    assert problems_of(page) == []
    problems.expect("status of 403")
    problems.expect("status of 400")


def problems_at(page: Page, path: str) -> list[str]:
    page.goto(path)
    page.wait_for_load_state("networkidle")
    expect(page.locator("main")).not_to_be_empty()
    return problems_of(page)


def problems_of(page: Page) -> list[str]:
    """Check what the page shows in the light theme, then its colors in the dark theme. Check an open dialog alone."""
    page.evaluate(SHOW_DIALOG_ALONE, True)
    page.emulate_media(color_scheme="light")
    light = serious_problems(page)
    page.emulate_media(color_scheme="dark")
    dark = serious_problems(page, "color-contrast", "link-in-text-block")
    page.evaluate(SHOW_DIALOG_ALONE, False)
    return light + dark


def press(part: Page | Locator, name: str) -> None:
    part.get_by_role("button", name=name, exact=True).click()


# axe does not know that a modal dialog lies above the page. It skips colors that the page seems to cover or clip.
SHOW_DIALOG_ALONE = """(isAlone) => {
    const dialog = document.querySelector("dialog[open]");
    if (!dialog) return;
    dialog.style.visibility = isAlone ? "visible" : "";
    document.body.style.visibility = isAlone ? "hidden" : "";
    for (let part = dialog.parentElement; part; part = part.parentElement)
        part.style.overflow = isAlone ? "visible" : "";
}"""
