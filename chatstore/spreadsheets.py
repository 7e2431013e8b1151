"""CSV files, whose cells no spreadsheet takes for formulas."""

import csv
import io
from collections.abc import Iterable
from typing import Any

FORMULA = tuple("=+-@\t\r\n")  # a spreadsheet can execute a text that begins with one of these


def to_csv(rows: Iterable[Iterable[Any]]) -> str:
    """Return the lines of these rows."""
    file = io.StringIO()
    csv.writer(file).writerows(map(harmless, row) for row in rows)
    return file.getvalue()


def harmless(value: Any) -> Any:
    """Return the value. A text that a spreadsheet could take for a formula gets an apostrophe in front of it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
