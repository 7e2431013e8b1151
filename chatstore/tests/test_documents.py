"""The documents list the settings of the code with their defaults, and their links have targets."""

import ast
import re
from pathlib import Path

import pytest

from chatstore.env import BASE_DIR

# The files that read settings. If two of them give a setting different defaults, the last file counts.
READERS = ("gunicorn.conf.py", "chatstore/wsgi.py", "chatstore/settings.py")
DOCUMENTS = [path for pattern in ("*.md", "[!.]*/README.md", "docs/**/*.md") for path in BASE_DIR.glob(pattern)]
FENCED = re.compile(r"^```.*?^```", re.M | re.S)
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]*))?\)")


def settings_read() -> dict[str, str | None]:
    """Return every setting that the code reads, with its default, or None if the default is not a constant."""
    calls = (node for path in READERS for node in ast.walk(ast.parse((BASE_DIR / path).read_text())))
    return {name: default for node in calls for name, default in _setting(node)}


def _setting(node: ast.AST) -> list[tuple[str, str | None]]:
    match node:
        case ast.Call(ast.Attribute(ast.Name("env"), reader), [ast.Constant(str(name)), *rest]):
            default = rest[0] if rest else ast.Constant(False if reader == "flag" else "")
            return [(name, _as_typed(default.value) if isinstance(default, ast.Constant) else None)]
    return []


def _as_typed(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def example_defaults() -> dict[str, str]:
    return dict(re.findall(r"^# ([A-Z][A-Z_]+)=(.*)$", (BASE_DIR / ".env.example").read_text(), re.M))


def page_defaults() -> dict[str, str]:
    return dict(re.findall(r"^\| `([A-Z_]+)` \|(.*?)\|", (BASE_DIR / "docs/configuration.md").read_text(), re.M))


def anchors(document: Path) -> set[str]:
    """Return the anchors that GitHub creates for the headings."""
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", document.read_text()), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_env_example_and_configuration_md_list_exactly_the_settings_of_the_code() -> None:
    assert len(settings_read()) > 20
    assert example_defaults().keys() == settings_read().keys()
    assert page_defaults().keys() == settings_read().keys()


@pytest.mark.parametrize(("name", "default"), [item for item in settings_read().items() if item[1] is not None])
def test_the_documented_default_is_the_real_one(name: str, default: str) -> None:
    assert example_defaults()[name] == default
    if default:
        assert f"`{default}`" in page_defaults()[name]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(BASE_DIR)))
def test_every_link_of_a_document_has_a_target(document: Path) -> None:
    for path, anchor in LINK.findall(FENCED.sub("", document.read_text())):
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"
