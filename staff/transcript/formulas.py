"""Formulas in LaTeX stay as they were typed. Markdown would remove their backslashes and read `_` as emphasis."""

import re
from collections.abc import Sequence
from typing import Any

from django.utils.html import escape
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

# At most 500 characters, so that many openings without an end cost little.
INLINE = re.compile(
    r"\$\$[^$]{1,500}\$\$|\$(?! )[^$\n]{1,500}(?<! )\$(?!\d)|\\\(.{1,500}?\\\)|\\\[.{1,500}?\\\]", re.DOTALL
)
BLOCKS = {"$$": "$$", "\\[": "\\]"}
LINES = 100  # the most lines of a block


def extend(parser: MarkdownIt) -> None:
    """Add formulas to a parser: `$…$` and `\\(…\\)` in a line, `$$…$$` and `\\[…\\]` also as blocks of lines."""
    parser.inline.ruler.before("escape", "math", read_inline)
    parser.block.ruler.before("fence", "math", read_block, {"alt": ["paragraph", "blockquote", "list"]})
    parser.add_render_rule("math_inline", show_inline)
    parser.add_render_rule("math_block", show_block)


def read_inline(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] not in "$\\" or not (found := INLINE.match(state.src, state.pos, state.posMax)):
        return False
    if not silent:
        state.push("math_inline", "span", 0).content = found[0]
    state.pos = found.end()
    return True


def read_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    line = _line(state, start)
    closing = BLOCKS.get(line[:2])
    if closing is None:
        return False
    last = next(
        (number for number in range(start, min(end, start + LINES)) if _closes(state, number, start, closing)), None
    )
    if last is None:
        return False
    if not silent:
        token = state.push("math_block", "div", 0)
        token.content = state.getLines(start, last + 1, state.blkIndent, False)
        state.line = last + 1
    return True


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _closes(state: StateBlock, number: int, start: int, closing: str) -> bool:
    line = _line(state, number).rstrip()
    return line.endswith(closing) and (number > start or len(line) > len(closing) + 1)


def show_inline(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return f'<span class="math">{escape(tokens[index].content)}</span>'


def show_block(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return f'<div class="math">{escape(tokens[index].content)}</div>'
