"""What the documents say of the code, as far as a test can tell."""

import ast
import re
from pathlib import Path

import pytest

from chatstore.env import BASE_DIR

READERS = ("gunicorn.conf.py", "chatstore/wsgi.py", "chatstore/settings.py")  # where two differ, the last one counts
DOCUMENTS = [path for pattern in ("*.md", "[!.]*/README.md", "docs/**/*.md") for path in BASE_DIR.glob(pattern)]
FENCED = re.compile(r"^```.*?^```", re.M | re.S)
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]*))?\)")


def knobs() -> dict[str, str | None]:
    """Every knob that is read, and its default where that is spelled out there."""
    calls = (node for path in READERS for node in ast.walk(ast.parse((BASE_DIR / path).read_text())))
    return {name: default for node in calls for name, default in _knob(node)}


def _knob(node: ast.AST) -> list[tuple[str, str | None]]:
    match node:
        case ast.Call(ast.Attribute(ast.Name("env"), reader), [ast.Constant(str(name)), *rest]):
            default = rest[0] if rest else ast.Constant(False if reader == "flag" else "")
            return [(name, _as_typed(default.value) if isinstance(default, ast.Constant) else None)]
    return []


def _as_typed(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def in_example() -> dict[str, str]:
    return dict(re.findall(r"^# ([A-Z][A-Z_]+)=(.*)$", (BASE_DIR / ".env.example").read_text(), re.M))


def in_page() -> dict[str, str]:
    return dict(re.findall(r"^\| `([A-Z_]+)` \|(.*?)\|", (BASE_DIR / "docs/configuration.md").read_text(), re.M))


def anchors(document: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", document.read_text()), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_knob_is_in_the_example_and_on_the_page_and_there_is_no_other() -> None:
    assert len(knobs()) > 20
    assert in_example().keys() == knobs().keys()
    assert in_page().keys() == knobs().keys()


@pytest.mark.parametrize(("name", "default"), [knob for knob in knobs().items() if knob[1] is not None])
def test_a_default_is_told_as_it_is(name: str, default: str) -> None:
    assert in_example()[name] == default
    if default:
        assert f"`{default}`" in in_page()[name]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(BASE_DIR)))
def test_the_links_of_a_document_lead_somewhere(document: Path) -> None:
    for path, anchor in LINK.findall(FENCED.sub("", document.read_text())):
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"
