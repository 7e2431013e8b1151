"""No module imports a test module. Helpers that several test modules use belong in testing/."""

import ast
from pathlib import Path

import pytest

from chatstore.env import BASE_DIR

FOLDERS = ("accounts", "browser", "chatstore", "compat", "conversations", "replies", "staff", "testing", "transfer")
MODULES = [path for folder in FOLDERS for path in (BASE_DIR / folder).rglob("*.py")]


def imported_test_modules(source: str) -> list[str]:
    """Return the test modules that a module imports, in any form of the import statement."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module or ''}.{alias.name}" for alias in node.names]
    return [name for name in names if any(part.startswith("test_") for part in name.split("."))]


def test_no_module_imports_a_test_module() -> None:
    assert len(MODULES) > 100
    imports = {str(path.relative_to(BASE_DIR)): imported_test_modules(path.read_text()) for path in MODULES}
    assert {path: names for path, names in imports.items() if names} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import a.tests.test_b",
        "from a.tests import test_b as b",
        "from a.tests.test_b import c",
        "from . import test_b",
        "from .test_b import c",
        "def f():\n    from .test_b import c",
    ],
)
def test_an_import_is_detected_in_every_form(source: str) -> None:
    assert imported_test_modules(source)
    assert not imported_test_modules(source.replace("test_b", "b"))


def test_every_file_with_tests_has_a_name_that_pytest_collects() -> None:
    """pytest never runs a test in a file whose name does not begin with `test_`."""
    not_collected = [path for path in MODULES if not path.name.startswith("test_") and defines_a_test(path)]
    assert not_collected == []


def defines_a_test(path: Path) -> bool:
    nodes = ast.parse(path.read_text()).body
    return any(isinstance(node, ast.FunctionDef) and node.name.startswith("test_") for node in nodes)
