"""axe-core finds no serious problem on the screens of the web app, in the light and the dark theme.

A new screen belongs in SCREENS.
"""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from conversations.models import Conversation
from conversations.services import conversations, shares
from testing.cast import create_conversation

from .staff import serious_problems
from .web import SignIn

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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_screens_have_no_serious_problems(
    scheme: str, sign_in: SignIn, alice: User, conversation: Conversation
) -> None:
    page = sign_in(alice, color_scheme=scheme)
    found = {name: problems_at(page, path.format(conversation=conversation.id)) for name, path in SCREENS.items()}
    assert {name: problems for name, problems in found.items() if problems} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_screens_for_visitors_have_no_serious_problems(
    scheme: str, sign_in: SignIn, alice: User, conversation: Conversation
) -> None:
    page = sign_in(None, color_scheme=scheme)
    share = shares.create(user=alice, conversation_id=conversation.id)
    paths = PUBLIC | {"a shared conversation": f"/share/{share.token}/"}
    found = {name: problems_at(page, path) for name, path in paths.items()}
    assert {name: problems for name, problems in found.items() if problems} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_menu_the_share_dialog_and_the_palette_have_no_serious_problems_on_a_phone(
    scheme: str, sign_in: SignIn, alice: User, conversation: Conversation
) -> None:
    page = sign_in(alice, color_scheme=scheme, viewport={"width": 390, "height": 844})
    page.goto(f"/app/c/{conversation.id}")
    page.get_by_role("button", name="Conversations", exact=True).click()
    row = page.get_by_role("navigation", name="Conversations").locator(".row").first
    row.hover()
    row.get_by_role("button", name="Actions").click()
    expect(page.get_by_role("menu").first).to_be_visible()
    assert serious_problems(page) == []
    page.get_by_role("menuitem", name="Share…").click()
    expect(page.get_by_role("dialog", name="Share").get_by_role("button", name="Create a link")).to_be_visible()
    assert serious_problems(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog").get_by_role("combobox")).to_be_focused()
    assert serious_problems(page) == []


def problems_at(page: Page, path: str) -> list[str]:
    page.goto(path)
    page.wait_for_load_state("networkidle")
    expect(page.locator("main")).not_to_be_empty()
    return serious_problems(page)
