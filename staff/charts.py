"""Bar charts as SVG. Templates draw the bars; this module computes their places."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 600, 120  # of a chart, in the units of its viewBox
GAP = 0.2  # of the width of a bar


@dataclass(frozen=True)
class Bar:
    """A bar. `label` says what it stands for, `value` is its number."""

    label: Any
    value: int
    x: float
    y: float
    width: float
    height: float


def draw_bars(values: Sequence[tuple[Any, int]]) -> list[Bar]:
    """Return a bar for each pair of a label and a number. The highest bar is as high as the chart.

    A bar of a number above 0 is at least one unit high, so that it can be seen.
    """
    highest = max((value for _, value in values), default=0) or 1
    step = WIDTH / max(len(values), 1)
    bars = []
    for index, (label, value) in enumerate(values):
        height = max(round(HEIGHT * value / highest, 1), 1 if value else 0)
        place = {"x": round(index * step, 1), "y": round(HEIGHT - height, 1)}
        bars.append(Bar(label, value, **place, width=round(step * (1 - GAP), 1), height=height))
    return bars
