"""No cell of a CSV file can run as a formula in a spreadsheet."""

import pytest

from chatstore.spreadsheets import harmless


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_a_text_that_could_be_a_formula_gets_an_apostrophe(text: str) -> None:
    assert harmless(text) == f"'{text}"


def test_other_cells_stay_as_they_are() -> None:
    assert [harmless(value) for value in ("a=b", "", -1)] == ["a=b", "", -1]
