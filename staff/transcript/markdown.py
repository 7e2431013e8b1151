"""Markdown as HTML that is safe on a page of the admin, whatever the text is.

Three things make it safe. The parser knows no raw HTML. The renderer makes only the tags below, with few attributes.
nh3 then removes any other tag or attribute. Nothing is loaded from another site: an image becomes a link.

The cost is bounded: there are limits to the length of a text (LONGEST), the depth of its blocks (DEPTH), the size of
its HTML (GROWTH), and the time for a page (SECONDS). A text beyond a limit is shown as it was typed.
"""

import time
from collections.abc import Sequence
from functools import cache
from typing import Any

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from staff.visible import show_codes, visible

from . import formulas
from .highlighting import highlight

LONGEST = 20_500  # characters; a little more than a page shows of a text
DEPTH = 16  # levels; a quote has one, and a list two
SECONDS = 0.4  # CPU time for all texts of a page; the last text can exceed it
GROWTH = 12  # the most characters of HTML for each character of a text
SCHEMES = ("https://", "http://", "mailto:")
TAGS = set(
    "a blockquote br code div em h3 h4 h5 h6 hr i li ol p pre s span strong table tbody td th thead tr ul".split()
)
ATTRIBUTES = {
    "a": {"href", "target"},
    "div": {"class"},
    "ol": {"start"},
    "pre": {"class"},
    "span": {"class"},
    "table": {"tabindex"},
    "td": {"class"},
    "th": {"class"},
}
SCHEME_NAMES = {scheme.partition(":")[0] for scheme in SCHEMES}
REL = "noopener noreferrer nofollow"


class Formatter:
    """Formats the texts of one page, until they have used SECONDS of CPU time."""

    def __init__(self) -> None:
        self._left = SECONDS

    def format(self, text: str) -> SafeString:
        """Return a Markdown text as HTML, or as it was typed if it exceeds a limit."""
        if not text or len(text) > LONGEST or self._left <= 0:
            return plain(text)
        start = time.thread_time()
        try:
            html = render(text)
        except Exception:  # a text that breaks the parser must not hide the conversation
            return plain(text)
        finally:
            self._left -= time.thread_time() - start
        return html if len(html) < GROWTH * len(text) + 1_000 else plain(text)


def plain(text: str) -> SafeString:
    """Return a text as it was typed."""
    return mark_safe(f'<div class="plain">{visible(text)}</div>') if text else SafeString("")


def render(text: str) -> SafeString:
    """Return a Markdown text as HTML. Raises ValueError if it is nested too deeply."""
    parser = _parser()
    tokens = parser.parse(text)
    if any(token.level >= DEPTH - 1 for token in tokens):  # the parser leaves out what is deeper
        raise ValueError("nested too deeply")
    html = parser.renderer.render(tokens, parser.options, {})
    return show_codes(nh3.clean(html, tags=TAGS, attributes=ATTRIBUTES, link_rel=REL, url_schemes=SCHEME_NAMES))


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": DEPTH})
    parser.enable(["table", "strikethrough"])
    parser.validateLink = lambda url: url.startswith(SCHEMES)  # type: ignore[method-assign]
    formulas.extend(parser)
    for rule in (fence, image, link_open, table_open):
        parser.add_render_rule(rule.__name__, rule)
    parser.add_render_rule("code_block", fence)
    for cell in ("td_open", "th_open"):
        parser.add_render_rule(cell, cell_open)
    for heading in ("heading_open", "heading_close"):
        parser.add_render_rule(heading, lower_heading)
    # The first use compiles the rules. If threads did this at the same time, one could use incomplete rules.
    parser.parse("a")
    return parser


# The rules of the renderer. Each returns the HTML of one token.


def fence(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    language = token.info.split()[0][:30] if token.info.split() else ""
    label = f'<span class="language">{escape(language)}</span>' if language else ""
    return f'<div class="code">{label}<pre>{highlight(token.content, language)}</pre></div>'


def image(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    address = str(tokens[index].attrs["src"])
    name = f"{gettext('Image')}: {tokens[index].content}".rstrip(": ")
    return f'<span class="image">{escape(name)} {_open_link(address)}{escape(address)}</a></span>'


def link_open(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return _open_link(str(tokens[index].attrs["href"]))


def _open_link(address: str) -> str:
    """Return the start tag of a link. Leave out an empty address, because it would lead to the page itself."""
    return f'<a href="{escape(address)}" target="_blank">' if address else "<a>"


def table_open(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return '<table tabindex="0">'  # a wide table scrolls, also with the keyboard


def cell_open(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    align = str(tokens[index].attrs.get("style", "")).removeprefix("text-align:")
    return f'<{tokens[index].tag} class="{align}">' if align else f"<{tokens[index].tag}>"


def lower_heading(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """Return the tag of a heading two levels lower, because the page itself has headings of the levels 1 and 2."""
    level = min(int(tokens[index].tag[1]) + 2, 6)
    return f"<{'/' if tokens[index].nesting < 0 else ''}h{level}>"
