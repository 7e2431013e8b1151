"""Format one line for each measurement: the values, the result, the target (if any), and whether it is met."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from .wrk import Measured

HEAD = ("", "chatstore", "compared with", "result", "target", "")


@dataclass(frozen=True)
class Line:
    measurement: str
    ours: Measured | None
    theirs: Measured | None
    number: float
    unit: str = "×"
    at_least: float | None = None
    at_most: float | None = None

    def cells(self) -> tuple[str, ...]:
        return (
            self.measurement,
            _format(self.ours),
            _format(self.theirs),
            f"{self.number:.2f} {self.unit}",
            *self._verdict(),
        )

    def _verdict(self) -> tuple[str, str]:
        if self.at_least is not None:
            return f"≥ {self.at_least:g} {self.unit}", format_verdict(self.number >= self.at_least)
        if self.at_most is not None:
            return f"≤ {self.at_most:g} {self.unit}", format_verdict(self.number <= self.at_most)
        return "", ""


def ratio(measurement: str, ours: Measured, theirs: Measured, at_least: float | None) -> Line:
    return Line(measurement, ours, theirs, ours.per_second / theirs.per_second, at_least=at_least)


def time_ratio(measurement: str, ours: Measured, theirs: Measured, at_most: float) -> Line:
    return Line(measurement, ours, theirs, ours.p50 / theirs.p50, at_most=at_most)


def difference(measurement: str, more: Measured, less: Measured) -> Line:
    return Line(measurement, more, less, more.p50 - less.p50, "ms")


def latency(measurement: str, measured: Measured, at_most: float) -> Line:
    return Line(measurement, measured, None, measured.p50, "ms", at_most=at_most)


def value(
    measurement: str, number: float, unit: str, *, at_most: float | None = None, at_least: float | None = None
) -> Line:
    return Line(measurement, None, None, number, unit, at_least=at_least, at_most=at_most)


class HasCells(Protocol):
    def cells(self) -> tuple[str, ...]: ...


def render(lines: Iterable[HasCells], head: tuple[str, ...] = HEAD) -> str:
    rows = [head, *(line.cells() for line in lines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _format(measured: Measured | None) -> str:
    if measured is None:
        return ""
    decimals = 0 if measured.per_second >= 10 else 2
    return f"{measured.per_second:6.{decimals}f}/s {measured.p50:8.2f} ms"


def format_verdict(is_met: bool) -> str:
    return "met" if is_met else "NOT MET"
