"""Tests of the page on which staff read a conversation: hostile content, keys, scrolling, printing."""

import base64
import zlib
from typing import Any

from playwright.sync_api import Browser, Page, expect

from accounts.models import User
from conversations.models import Conversation
from conversations.services import branches, conversations
from testing.admin import page_of
from testing.cast import dialogue, message_draft

from .site import create_account

WIDTHS = (1280, 390)
NESTED = "[" * 60 + "0" + "]" * 60


def png(width: int, height: int) -> str:
    """Return a black image as a data URL."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 0, 0, 0, 0])
    rows = zlib.compress(bytes((width + 1) * height))
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(data).decode()


HOSTILE = [
    message_draft(
        "<script>window.ran = 1</script><img src=x onerror='window.ran = 2'> [click](javascript:ran=3) **read**"
    ),
    message_draft("\u202etxet desrever\u202c and [a link](https://elsewhere.example/\u202egpj.exe)", "assistant"),
    message_draft("z" + "\u0300\u0317\u0488" * 500 + "algo"),
    message_draft("x" * 19_000, "assistant"),
    message_draft("```python\n" + "value = 'a long line' + " * 8_000 + "\n```"),
    message_draft("> " * 400 + "deep\n\n| broken | table\n|---\n```unclosed", "assistant"),
    message_draft("[a](https://elsewhere.example/) " * 10_000),
    message_draft("|" + "a wide table|" * 60 + "\n|" + "-|" * 60, "assistant"),
    message_draft("![picture](https://elsewhere.example/picture.png) مرحبا بالعالم"),
    message_draft(
        None,
        "assistant",
        tool_calls=[{"id": "c", "function": {"name": "<script>window.ran = 4</script>", "arguments": "x" * 5_000}}, 5],
        parts=[
            {"type": "image_url", "image_url": {"url": "https://elsewhere.example/picture.png"}},
            {"type": "image_url", "image_url": {"url": png(20, 10)}},
            {"type": "image_url", "image_url": {"url": "data:image/svg+xml,<svg onload='window.ran = 5'/>"}},
            {"type": "file", "filename": "y" * 300, "url": "javascript:window.ran=6"},
            *[NESTED] * 200,
        ],
        error="e" * 3_000,
        model="m" * 200,
    ),
]


def create(*drafts: Any, title: str = "Notes") -> Conversation:
    owner = User.objects.get(email=create_account())
    return conversations.create(user=owner, fields={"title": title}, drafts=drafts)[0]


def scroll_to_the_end(page: Page) -> None:
    while page.locator("a.more[rel=next]").count():
        page.mouse.wheel(0, 100_000)
        page.wait_for_timeout(50)


def test_hostile_content_does_no_harm_and_stays_readable(reader: Page, requests: list[str], address: str) -> None:
    conversation = create(*HOSTILE, title="<script>window.ran = 0</script>\u202eesrever " + "t" * 300)
    for width in WIDTHS:
        reader.set_viewport_size({"width": width, "height": 900})
        reader.goto(page_of(conversation))
        scroll_to_the_end(reader)
        assert reader.locator(".page > .message").count() == len(HOSTILE)
        reader.keyboard.press("E")  # opens all that is folded
        assert reader.evaluate("document.documentElement.scrollWidth") <= width
    assert reader.evaluate("window.ran") is None
    assert all(url.startswith((f"{address}/", "data:image/png;")) for url in requests)
    expect(reader.locator("#message-1 strong", has_text="read")).to_be_visible()
    expect(reader.locator("#message-2")).to_contain_text("U+202Etxet desrever")
    assert reader.locator("#message-3 .text").bounding_box()["height"] < 60  # type: ignore[index]
    expect(reader.locator("#message-6")).to_contain_text("deep")
    expect(reader.locator("#message-7")).to_contain_text("is cut here")
    assert reader.locator("#message-10 img").evaluate_all("images => images.map(image => image.naturalWidth)") == [20]


def test_a_conversation_can_be_read_with_the_keyboard(reader: Page) -> None:
    call = {"id": "c", "function": {"name": "search", "arguments": "{}"}}
    conversation = create(
        message_draft("Hello"),
        message_draft(None, "assistant", tool_calls=[call]),
        message_draft("found", "tool", tool_call_id="c"),
        *dialogue(*map(str, range(100))),
    )
    reader.goto(page_of(conversation))
    for key, focused in [("j", 1), ("j", 2), ("k", 1), ("j", 2), ("e", 2), ("j", 4), ("n", 51), ("p", 1), ("n", 51)]:
        reader.keyboard.press(key)
        expect(reader.locator(f"#message-{focused}")).to_be_focused()
    expect(reader.locator("#message-3")).to_be_visible()  # `e` has opened the call with its result
    reader.keyboard.press("?")
    expect(reader.get_by_role("dialog")).to_be_visible()
    reader.keyboard.press("Escape")
    reader.keyboard.press("/")
    expect(reader.locator("#find")).to_be_focused()
    reader.keyboard.press("j")
    assert reader.locator("#find").input_value() == "j"


def test_pages_load_as_the_reader_scrolls(reader: Page) -> None:
    conversation = create(*dialogue(*map(str, range(1, 131))))
    reader.goto(page_of(conversation))
    scroll_to_the_end(reader)
    numbers = reader.locator(".page > .message").evaluate_all("messages => messages.map(message => message.id)")
    assert numbers == [f"message-{number}" for number in range(1, 131)]

    reader.goto(f"{page_of(conversation)}?at=100#message-100")
    expect(reader.locator("#message-100")).to_be_in_viewport()
    reader.get_by_text("Earlier messages").click()
    expect(reader.locator("#message-79")).to_be_attached()
    expect(reader.locator("#message-80")).to_be_in_viewport()  # the text that was read does not move away


def test_pages_and_branches_work_without_javascript(reader: Page, chromium: Browser, address: str) -> None:
    conversation = create(*dialogue(*map(str, range(1, 61))))
    first = conversation.messages.get(seq=1)
    branches.branch(user=conversation.user, message_id=first.id, changes={"content": "another beginning"})
    branches.switch(user=conversation.user, conversation_id=conversation.id, message_id=first.id)
    with chromium.new_context(base_url=address, java_script_enabled=False) as context:
        context.add_cookies(reader.context.cookies())  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(page_of(conversation))
        page.get_by_text("Later messages").click()
        expect(page.locator(".page > .message").first).to_have_id("message-51")
        page.get_by_text("First messages").click()
        page.get_by_label("Next alternative").click()
        expect(page.locator("#message-61 .text")).to_have_text("another beginning")
        expect(page.get_by_text("You see another branch than the user.")).to_be_visible()


def test_print_shows_what_is_folded_and_no_navigation(reader: Page) -> None:
    conversation = create(message_draft("Hello", "assistant", reasoning="A thought."))
    reader.goto(page_of(conversation))
    expect(reader.get_by_text("A thought.")).to_be_hidden()
    reader.emulate_media(media="print")
    reader.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    expect(reader.get_by_text("A thought.")).to_be_visible()
    expect(reader.locator("#header")).to_be_hidden()
    reader.evaluate("window.dispatchEvent(new Event('afterprint'))")
    reader.emulate_media(media="screen")
    expect(reader.get_by_text("A thought.")).to_be_hidden()


def test_the_keys_lead_from_hit_to_hit_and_then_back_to_the_results(reader: Page) -> None:
    texts = ["zebra", *[f"message {number}" for number in range(70)], "a zebra", "the end"]
    owner = User.objects.get(email=create_account())
    conversation, _ = conversations.create(user=owner, fields={}, drafts=[message_draft(text) for text in texts])
    reader.goto(f"{page_of(conversation)}?at=1&q=zebra#message-1")
    expect(reader.locator("#message-1")).to_be_focused()
    expect(reader.locator("mark")).to_have_text("zebra")
    reader.keyboard.press("n")
    expect(reader.locator("#message-72")).to_be_focused()
    assert reader.locator("#message-72").bounding_box()["y"] >= reader.locator("#hits").bounding_box()["height"]  # type: ignore[index]
    reader.keyboard.press("p")
    expect(reader.locator("#message-1")).to_be_focused()
    reader.keyboard.press("n")
    expect(reader.locator("#message-72")).to_be_focused()
    reader.keyboard.press("n")
    expect(reader).to_have_url("/admin/search/?q=zebra")
