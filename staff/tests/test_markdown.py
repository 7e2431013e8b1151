"""Markdown becomes HTML that does no harm, stays readable, and costs a bounded time and size."""

import re

import pytest

from staff.transcript import markdown
from staff.transcript.highlighting import LANGUAGES, LEXERS, highlight
from staff.transcript.markdown import Formatter, render
from staff.visible import visible

ALLOWED = re.compile(
    r"<(/?(?:b|blockquote|br|em|h[3-6]|hr|i|li|ol|p|pre|s|strong|tbody|td|th|thead|tr|ul|code|div|span|table|a)"
    r'(?: (?:class="[a-z]*"|start="\d+"|tabindex="0"|href="(?:https?://|mailto:)[^"]*"|target="_blank"'
    r'|rel="noopener noreferrer nofollow"))*)>'
)
LENGTH = 20_000
HOSTILE = {
    "emphasis": "*a" * 10_000,
    "brackets": "[" * LENGTH,
    "images": "![" * 10_000,
    "unfinished links": "[a](" * 5_000,
    "links": "[a](http://b)" * 10_000,
    "quotes": ">" * 500 + " deep",
    "lists": "- " * 500 + "deep",
    "nested lists": "\n".join("  " * level + "- deep" for level in range(200)),
    "lazy quotes": ">" * 14 + " a\n" + "a\n" * 9_000,
    "tables": "|a|b|\n|-|-|\n" + "|a|b|\n" * 3_000,
    "broken table": "|" * 9_000 + "\n" + "|-" * 5_000,
    "references": "[a]: /x\n" * 1_000 + "[a]" * 3_000,
    "formulas": "$a\\(" * 5_000,
    "blocks of formulas": "\\[\n" * 6_000,
    "fences": "```py\na\n```\n" * 1_600,
    "unfinished fence": "```python\n" + "x = 1\n" * 3_000,
    "overrides": "a\u202e" * 10_000,
    "zalgo": "a" + "\u0300\u0317" * 9_000,
    "entities": "&#x202e;a" * 2_000,
    "line": "x" * LENGTH,
    "html": "<img src=x onerror=alert(1)>" * 700,
    "comment": "<!-- " * 4_000,
    "quotation marks": "\"'" * 10_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_becomes_html_of_a_bounded_size_with_allowed_tags_only(name: str) -> None:
    text = HOSTILE[name][:LENGTH]
    html = Formatter().format(text)
    assert "<" not in ALLOWED.sub("", html)
    assert len(html) < markdown.GROWTH * len(text) + 1_000
    assert "\u202e" not in html


@pytest.mark.parametrize("name", ["quotes", "lists", "nested lists"])
def test_text_that_is_nested_too_deeply_is_shown_as_it_was_typed(name: str) -> None:
    html = Formatter().format(HOSTILE[name])
    assert html.startswith('<div class="plain">') and "deep" in html


def test_formatting_ends_when_the_time_of_a_page_is_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markdown, "SECONDS", 1e-9)
    formatter = Formatter()
    assert formatter.format("**a**") == "<p><strong>a</strong></p>\n"
    assert formatter.format("**a**") == '<div class="plain">**a**</div>'


def test_a_text_that_breaks_the_parser_is_shown_as_it_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(text: str) -> None:
        raise RuntimeError

    monkeypatch.setattr(markdown, "render", fail)
    assert Formatter().format("**<a>**") == '<div class="plain">**&lt;a&gt;**</div>'


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "[x](/admin/logout/)",
        "[x](//evil.example)",
        "![x](javascript:alert(1))",
        "<javascript:alert(1)>",
        "[x](vbscript:x)",
    ],
)
def test_addresses_of_this_site_and_scripts_do_not_become_links(text: str) -> None:
    html = render(text)
    assert "<a" not in html and ("x" in html or "alert" in html)


def test_a_link_without_an_address_leads_nowhere() -> None:
    assert "href" not in render("[a]() ![b]() [c](<>)")


def test_links_open_in_a_new_tab_and_send_no_referrer() -> None:
    assert render("[a](https://b.example/?c=1&d=2)") == (
        '<p><a href="https://b.example/?c=1&amp;d=2" target="_blank" rel="noopener noreferrer nofollow">a</a></p>\n'
    )


def test_an_image_becomes_a_link_to_its_address() -> None:
    html = render("![a <b>](https://b.example/c.png)")
    assert "<img" not in html
    assert "Image: a &lt;b&gt; <a href=" in html and ">https://b.example/c.png</a>" in html


def test_html_stays_readable_as_text() -> None:
    assert render("<script>alert(1)</script> **b**") == (
        "<p>&lt;script&gt;alert(1)&lt;/script&gt; <strong>b</strong></p>\n"
    )


@pytest.mark.parametrize(
    "formula", ["$a_1 + b_1$", r"\(a_1 \\ b_1\)", r"\[ a_1 * b_1 * c \]", "$$\na\n- b\n= c\n$$", "\\[\na\n+ b\n\\]"]
)
def test_formulas_stay_as_they_were_typed(formula: str) -> None:
    assert f'class="math">{formula}</' in render(f"Before\n\n{formula}\n\nafter").replace("\n</", "</")


def test_amounts_of_money_are_no_formulas() -> None:
    assert render("It costs $5 or **$10**.") == "<p>It costs $5 or <strong>$10</strong>.</p>\n"


def test_line_breaks_tables_and_headings_are_kept() -> None:
    assert render("a\nb") == "<p>a<br>\nb</p>\n"
    assert "<h3>" in render("# a") and "<h6>" in render("###### a")
    assert '<td class="right">1</td>' in render("|a|\n|-:|\n|1|")


def test_code_is_highlighted_with_classes() -> None:
    html = render('```py title=a\ndef f(): return "<x>" # y\n```')
    assert '<span class="language">py</span>' in html
    assert '<span class="k">def</span> <span class="f">f</span>' in html
    assert '<span class="s">"&lt;x&gt;"</span>' in html and '<span class="c"># y</span>' in html


@pytest.mark.parametrize("language", LANGUAGES)
def test_highlighting_keeps_every_character(language: str) -> None:
    code = '\n\n  if (a < 1) { return \'x\' } // y\n# <z> """\n\\'
    assert re.sub("<[^>]*>", "", highlight(code, language)) == visible(code)


def test_code_in_an_unknown_language_and_slow_code_are_only_escaped() -> None:
    for code, language in [("<a>", "nonsense"), ("<a>\n" * 5_000, "html"), ("\n" * 5_000, "java"), ("<" * 2_000, "c")]:
        assert highlight(code, language) == visible(code)
    assert set(LEXERS) >= {"python", "c++", "js", "sql"}


def test_characters_without_a_shape_are_shown_as_their_code() -> None:
    assert visible("a\u202e\u202eb<\u200b\x07") == "a<i>U+202E ×2</i>b&lt;<i>U+200B</i><i>U+0007</i>"
    assert visible("👩‍💻 می‌خواهم é\n\t") == "👩‍💻 می‌خواهم é\n\t"


def test_at_most_four_signs_are_stacked_on_a_letter() -> None:
    assert visible("e" + "\u0301" * 50 + "f") == "e" + "\u0301" * 4 + "f"
