"""How the web app shows the content of messages."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from .web import Problems

CREATE = """async (messages) => {
    const headers = {"Content-Type": "application/json"};
    const body = JSON.stringify({title: "Content", messages});
    return (await (await fetch("/api/v1/conversations/", {method: "POST", headers, body})).json()).id;
}"""
STORED_REACTIONS = """async (id) => {
    const {results} = await (await fetch(`/api/v1/conversations/${id}/messages/`)).json();
    return results.at(-1).reactions;
}"""
LONGEST_FREEZE = """() => new Promise((resolve) => {
    new PerformanceObserver((list) => resolve(Math.max(...list.getEntries().map((entry) => entry.duration))))
        .observe({type: "longtask", buffered: true});
    setTimeout(() => resolve(0), 500);
})"""
HOSTILE = r"""
<script>window.attacked = "script"</script>

<img src=x onerror="window.attacked = 'image'"> <a href="javascript:window.attacked = 'raw link'">raw</a>

[one](javascript:window.attacked='link') [two]( java&#115;cript:window.attacked='entity') <javascript:window.attacked>
[three](data:text/html,<script>window.attacked='data'</script>) [four](//evil.example) [five](/accounts/logout/)

![tracker](https://evil.example/pixel.png) ![svg](data:image/svg+xml;base64,PHN2Zy8+)

$\href{javascript:window.attacked='formula'}{x}$ $\includegraphics{https://evil.example/formula.png}$

```html"onmouseover="window.attacked=1
<script>window.attacked = "code"</script>
```
"""


def open_conversation(page: Page, *messages: dict[str, Any]) -> str:
    """Store a conversation with these messages, open it, and return its id."""
    page.goto("/app/")
    conversation = str(page.evaluate(CREATE, list(messages)))
    page.goto(f"/app/c/{conversation}")
    return conversation


def reply(content: str, **fields: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content, **fields}


def press(button: Locator, method: str) -> None:
    """Press a button, and wait for the response to its request."""
    with button.page.expect_response(lambda response: response.request.method == method):
        button.click()


def test_hostile_markdown_runs_no_script_and_makes_no_request(alice_page: Page, problems: Problems) -> None:
    open_conversation(alice_page, reply(HOSTILE), {"role": "user", "content": HOSTILE})
    expect(alice_page.get_by_role("button", name="Load the picture from evil.example")).to_be_visible()
    for name in ("one", "two", "three", "four", "five"):
        expect(alice_page.get_by_role("link", name=name, exact=True)).to_have_count(0)
    assert alice_page.evaluate("window.attacked") is None
    assert problems == []


def test_markdown_that_is_nested_ten_thousand_times_is_shown_as_text(alice_page: Page) -> None:
    quotations, brackets = ">" * 10_000 + " deep", "[" * 10_000 + " open"
    open_conversation(alice_page, reply(quotations), reply(brackets), reply("- " * 10_000))
    expect(alice_page.locator("article", has_text="> deep")).to_be_visible()
    expect(alice_page.locator("article", has_text="[ open")).to_be_visible()


def test_a_text_of_a_megabyte_is_plain_until_the_reader_asks(alice_page: Page) -> None:
    open_conversation(alice_page, reply("Some **bold** words.\n\n" * 40_000))
    button = alice_page.get_by_role("button", name="Show as Markdown")
    expect(button).to_be_visible()
    expect(alice_page.get_by_text("Some **bold** words.").first).to_be_visible()
    assert alice_page.evaluate(LONGEST_FREEZE) < 5_000  # milliseconds, on a busy machine


def test_the_end_of_a_long_text_in_markdown_is_reached_with_one_click(alice_page: Page) -> None:
    open_conversation(alice_page, reply(("Some words. " * 100 + "\n\n") * 200 + "The last word."))
    alice_page.get_by_role("button", name="Show as Markdown").click()
    last = alice_page.locator("p", has_text="The last word.")
    expect(last).to_be_attached()
    alice_page.get_by_role("region", name="Messages").evaluate("element => element.scrollTop = 0")
    expect(last).not_to_be_in_viewport()
    alice_page.get_by_role("button", name="Jump to the end").click()
    expect(last).to_be_in_viewport()


@pytest.mark.parametrize("is_markdown", [False, True])
def test_the_browser_finds_a_word_in_the_part_of_a_long_text_that_is_not_in_view(
    is_markdown: bool, alice_page: Page
) -> None:
    text = "Some hay. " * 100 + "\n\n"
    open_conversation(alice_page, reply(text * 150 + "A needle.\n\n" + text * 150))
    if is_markdown:
        alice_page.get_by_role("button", name="Show as Markdown").click()
        expect(alice_page.locator(".markdown.long > *")).to_have_count(301)
    needle = alice_page.locator("p" if is_markdown else ".off-screen", has_text="A needle.")
    expect(needle).to_be_attached()
    expect(needle).not_to_be_in_viewport()
    assert alice_page.evaluate("window.find('needle', false, false, true)")  # from the start again after the end
    assert alice_page.evaluate("getSelection().toString()") == "needle"


def test_code_is_coloured_and_copied(alice_page: Page) -> None:
    code = 'def greet():\n    return "Hello"  # **not bold**'
    alice_page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_conversation(alice_page, reply(f"Here:\n\n```python\n{code}\n```\n"))
    expect(alice_page.locator(".hljs-keyword").first).to_have_text("def")
    alice_page.get_by_role("button", name="Copy code").click()
    expect(alice_page.get_by_text("Copied")).to_be_attached()
    assert alice_page.evaluate("navigator.clipboard.readText()") == code


def test_formulas_are_loaded_only_for_texts_that_have_some(alice_page: Page, problems: Problems) -> None:
    urls: list[str] = []
    alice_page.on("request", lambda request: urls.append(request.url))
    open_conversation(alice_page, reply("It costs $5 and $10, **not** more."))
    expect(alice_page.locator("strong", has_text="not")).to_be_visible()
    assert not any("Formula" in url or "KaTeX" in url for url in urls)
    with alice_page.expect_request("**/KaTeX*"):
        open_conversation(alice_page, reply("So $x^2$ and\n\n\\[\n\\frac{1}{2}\n\\]"))
        expect(alice_page.locator(".katex")).to_have_count(2)
    assert problems == []  # no style violates the content security policy


def test_reactions_are_stored(alice_page: Page) -> None:
    conversation = open_conversation(alice_page, {"role": "user", "content": "Hello?"}, reply("Hello."))
    good, bad = (alice_page.get_by_role("button", name=f"{name} reply") for name in ("Good", "Bad"))
    press(good, "POST")
    expect(good).to_have_attribute("aria-pressed", "true")
    press(bad, "POST")
    expect(good).to_have_attribute("aria-pressed", "false")
    assert alice_page.evaluate(STORED_REACTIONS, conversation) == ["thumbs_down"]
    alice_page.reload()
    expect(bad).to_have_attribute("aria-pressed", "true")
    press(bad, "DELETE")
    assert alice_page.evaluate(STORED_REACTIONS, conversation) == []


def test_reasoning_tools_and_parts_are_folded(alice_page: Page) -> None:
    arguments = json.dumps({"city": "Lisbon"})
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": arguments}}
    parts = [{"type": "refusal", "refusal": "I cannot say more."}, {"type": "chart", "points": [1]}]
    open_conversation(
        alice_page,
        reply("Let me see.", reasoning="The user asks.", tool_calls=[call], parts=parts),
        {"role": "tool", "name": "weather", "tool_call_id": "call_1", "content": '{"sky": "clear"}'},
    )
    expect(alice_page.get_by_text("I cannot say more.")).to_be_visible()
    expect(alice_page.get_by_text("The user asks.")).to_have_count(0)
    alice_page.locator("summary", has_text="Reasoning").click()
    expect(alice_page.get_by_text("The user asks.")).to_be_visible()
    alice_page.locator("summary", has_text="Tool call").click()
    expect(alice_page.get_by_text('"city": "Lisbon"')).to_be_visible()
    alice_page.locator("summary", has_text="Tool result").click()
    expect(alice_page.get_by_text('"sky": "clear"')).to_be_visible()


def test_right_to_left_texts_begin_on_the_right(alice_page: Page) -> None:
    open_conversation(alice_page, reply("مرحبا بالعالم\n\n- عنصر\n\nEnglish"))
    directions = "elements => elements.map((element) => getComputedStyle(element).direction)"
    expect(alice_page.locator(".markdown li")).to_be_visible()
    assert alice_page.locator(".markdown > p, .markdown > ul").evaluate_all(directions) == ["rtl", "rtl", "ltr"]


def test_wide_content_scrolls_in_its_box_on_a_phone(alice_page: Page) -> None:
    alice_page.set_viewport_size({"width": 390, "height": 844})
    table = "|" + "a long heading|" * 12 + "\n|" + "---|" * 12 + "\n|" + "cell|" * 12
    open_conversation(alice_page, reply(f"{table}\n\n```\n{'code ' * 100}\n```\n\n{'x' * 500}\n\n$${'x + ' * 100}x$$"))
    expect(alice_page.locator(".katex")).to_be_visible()
    assert alice_page.evaluate("document.querySelector('.thread').scrollWidth") <= 390


def test_a_formula_covers_nothing_outside_its_message(alice_page: Page) -> None:
    far = r"Look: $\kern-10em\smash{\raisebox{3em}{\rule{20em}{9em}}}$"
    open_conversation(alice_page, {"role": "user", "content": "Mine"}, reply(far))
    expect(alice_page.locator(".formula .katex-html")).to_have_count(1)
    question = alice_page.get_by_text("Mine", exact=True)
    question.click(trial=True)  # waits until the text receives the click
    assert question.evaluate("""(element) => {
        const {x, y, width, height} = element.getBoundingClientRect();
        return element.contains(document.elementFromPoint(x + width / 2, y + height / 2));
    }""")


def test_a_text_of_a_user_with_many_line_breaks_or_signs_does_not_freeze_the_page(alice_page: Page) -> None:
    lines = "one" + "\n" * 200_000 + "two\n```\ncode\n```"
    signs = "https://a.example/" + ")" * 400_000 + "x"
    open_conversation(alice_page, {"role": "user", "content": lines}, {"role": "user", "content": signs})
    expect(alice_page.locator(".code-block")).to_have_text(re.compile("code"))
    expect(alice_page.get_by_role("link", name="https://a.example/").first).to_be_visible()
