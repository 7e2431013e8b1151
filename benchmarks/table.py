"""Format one line for each measurement: the values, the result, the target (if any), and whether it is met."""

from collections.abc import Iterable
from dataclasses import dataclass

from .wrk import Measured

HEAD = ("", "chatstore", "compared with", "result", "target", "")


@dataclass(frozen=True)
class Line:
    measurement: str
    ours: Measured
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
            return f"≥ {self.at_least:g} {self.unit}", _format_verdict(self.number >= self.at_least)
        if self.at_most is not None:
            return f"≤ {self.at_most:g} {self.unit}", _format_verdict(self.number <= self.at_most)
        return "", ""


def ratio(measurement: str, ours: Measured, theirs: Measured, at_least: float | None) -> Line:
    return Line(measurement, ours, theirs, ours.per_second / theirs.per_second, at_least=at_least)


def growth(measurement: str, large: Measured, small: Measured, at_most: float) -> Line:
    return Line(measurement, large, small, large.p50 / small.p50, at_most=at_most)


def latency(measurement: str, measured: Measured, at_most: float) -> Line:
    return Line(measurement, measured, None, measured.p50, "ms", at_most=at_most)


def render(lines: Iterable[Line]) -> str:
    rows = [HEAD, *(line.cells() for line in lines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _format(measured: Measured | None) -> str:
    return f"{measured.per_second:6.0f}/s {measured.p50:7.2f} ms" if measured else ""


def _format_verdict(is_met: bool) -> str:
    return "met" if is_met else "NOT MET"
