"""Bar charts as SVG. Templates draw the bars; this module computes their places."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 600, 120  # the size of a chart, as in the viewBox of home/chart.html
GAP = 0.2  # between two bars, as a part of the width that a bar and its gap have together


@dataclass(frozen=True)
class Bar:
    """A bar of a chart. It shows the number `value`. `label` says what the number belongs to, such as a day."""

    label: Any
    value: int
    x: float
    y: float
    width: float
    height: float


def draw_bars(values: Sequence[tuple[Any, int]]) -> list[Bar]:
    """Return a bar for each pair of a label and a number. The highest bar is as high as the chart.

    If the number is above 0, its bar is at least one unit high, so that it can be seen.
    """
    highest = max((value for _, value in values), default=0) or 1
    step = WIDTH / max(len(values), 1)
    bars = []
    for index, (label, value) in enumerate(values):
        height = max(round(HEIGHT * value / highest, 1), 1 if value else 0)
        place = {"x": round(index * step, 1), "y": round(HEIGHT - height, 1)}
        bars.append(Bar(label, value, **place, width=round(step * (1 - GAP), 1), height=height))
    return bars
