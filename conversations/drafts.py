"""The data that callers hand to the services."""

from collections.abc import Sequence
from typing import NamedTuple


class TreeShape(NamedTuple):
    """How a list of drafts forms a tree.

    `parents[i]` is the index of the message that draft `i` answers, or None if it answers none. `tip` is the index of
    the message where the active path ends, or None if no message is active.
    """

    parents: Sequence[int | None]
    tip: int | None

    def path(self) -> set[int]:
        """Return the indexes of the messages on the active path."""
        path, index = set(), self.tip
        while index is not None:
            path.add(index)
            index = self.parents[index]
        return path
