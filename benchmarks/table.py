"""One line for each number to hold: what was measured, the number, and whether it holds."""

from collections.abc import Iterable
from dataclasses import dataclass

from .wrk import Measured

HEAD = ("", "chatstore", "beside it", "number", "to hold", "")


@dataclass(frozen=True)
class Line:
    what: str
    ours: Measured
    theirs: Measured | None
    number: float
    unit: str = "×"
    at_least: float | None = None
    at_most: float | None = None

    def cells(self) -> tuple[str, ...]:
        return (self.what, _said(self.ours), _said(self.theirs), f"{self.number:.2f} {self.unit}", *self._verdict())

    def _verdict(self) -> tuple[str, str]:
        if self.at_least is not None:
            return f"≥ {self.at_least:g} {self.unit}", _held(self.number >= self.at_least)
        if self.at_most is not None:
            return f"≤ {self.at_most:g} {self.unit}", _held(self.number <= self.at_most)
        return "", ""


def ratio(what: str, ours: Measured, theirs: Measured, at_least: float | None) -> Line:
    return Line(what, ours, theirs, ours.per_second / theirs.per_second, at_least=at_least)


def growth(what: str, large: Measured, small: Measured, at_most: float) -> Line:
    return Line(what, large, small, large.p50 / small.p50, at_most=at_most)


def latency(what: str, measured: Measured, at_most: float) -> Line:
    return Line(what, measured, None, measured.p50, "ms", at_most=at_most)


def printed(lines: Iterable[Line]) -> str:
    rows = [HEAD, *(line.cells() for line in lines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _said(measured: Measured | None) -> str:
    return f"{measured.per_second:6.0f}/s {measured.p50:7.2f} ms" if measured else ""


def _held(is_held: bool) -> str:
    return "held" if is_held else "NOT HELD"
