"""The branches of a conversation: the alternatives of a message, and the path through a message.

A message in the trash is left out, and its answers take its place. Reading changes nothing: the user still sees the
active path.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models.functions import Left

from conversations.models import Conversation

MOST_MESSAGES = 20_000  # the branches of a longer conversation are not read
MOST_FORKS = 20  # in the tree of branches
MOST_ALTERNATIVES = 10  # of one fork in the tree of branches
EXCERPT = 80  # characters


@dataclass(frozen=True)
class Alternative:
    """One of several messages with the same parent."""

    seq: int
    role: str
    excerpt: str
    is_shown: bool  # whether the page shows the path through it
    is_active: bool  # whether the user sees it
    forks: "list[Fork]" = field(default_factory=list)


@dataclass(frozen=True)
class Fork:
    """A place where a conversation has several continuations."""

    parent_seq: int | None
    alternatives: list[Alternative]
    more: int  # the number of further alternatives, which the tree leaves out


@dataclass(frozen=True)
class Place:
    """The place of a message among its alternatives."""

    number: int
    count: int
    previous: int | None
    next: int | None


class Branches:
    """The live messages of a conversation, without their texts. `rows` are (seq, parent_seq, is_active, is_live)."""

    def __init__(self, rows: Iterable[tuple[int, int | None, bool, bool]]) -> None:
        self.parents: dict[int, int | None] = {}
        self.children: dict[int | None, list[int]] = defaultdict(list)
        self.active: set[int] = set()
        replaced: dict[int | None, int | None] = {}  # the parent of each message in the trash
        for seq, parent, is_active, is_live in rows:
            parent = replaced.get(parent, parent)  # parents come before their children
            if not is_live:
                replaced[seq] = parent
                continue
            self.parents[seq] = parent
            self.children[parent].append(seq)
            if is_active:
                self.active.add(seq)

    @classmethod
    def of(cls, conversation: Conversation) -> "Branches":
        """Read the messages. Runs one statement, or none if the conversation has one branch or is too long."""
        is_one_path = conversation.last_seq == conversation.message_count
        if is_one_path or conversation.last_seq > MOST_MESSAGES:
            return cls([])
        rows = conversation.messages.order_by("seq").values_list("seq", "parent_seq", "is_active", "deleted_at")
        return cls((seq, parent, active, deleted is None) for seq, parent, active, deleted in rows)

    def path_through(self, seq: int) -> list[int] | None:
        """Return the path through a message that is not on the active path: up to a root, and down to the newest leaf.

        Return None for the active path.
        """
        if seq not in self.parents or seq in self.active:
            return None
        path = [*reversed(list(self._ancestors(seq))), seq]
        while children := self.children.get(path[-1]):
            path.append(children[-1])
        return path

    def _ancestors(self, seq: int) -> Iterable[int]:
        parent = self.parents[seq]
        while parent is not None:
            yield parent
            parent = self.parents[parent]

    @property
    def fork_count(self) -> int:
        return sum(len(children) > 1 for children in self.children.values())

    def place(self, seq: int) -> Place | None:
        """Return the place of a message among its alternatives, or None if it is the only one."""
        siblings = self.children.get(self.parents[seq], []) if seq in self.parents else []
        if len(siblings) < 2:
            return None
        index = siblings.index(seq)
        previous = siblings[index - 1] if index else None
        return Place(index + 1, len(siblings), previous, next(iter(siblings[index + 1 : index + 2]), None))

    def read_forks(self, conversation: Conversation, shown: Iterable[int]) -> list[Fork]:
        """Return the first forks as a tree. `shown` are the messages on the path that the page shows.

        Runs one statement, or none if there are no forks.
        """
        parents = [parent for parent, children in self.children.items() if len(children) > 1][:MOST_FORKS]
        if not parents:
            return []
        listed = [seq for parent in parents for seq in self.children[parent][:MOST_ALTERNATIVES]]
        texts = conversation.messages.filter(seq__in=listed).values_list("seq", "role", Left("content", EXCERPT))
        return self._nest(parents, {seq: (role, text or "") for seq, role, text in texts}, set(shown))

    def _nest(self, parents: list[int | None], texts: dict[int, tuple[str, str]], shown: set[int]) -> list[Fork]:
        alternatives: dict[int, Alternative] = {}
        roots: list[Fork] = []
        for parent in sorted(parents, key=lambda seq: seq or 0):
            children = self.children[parent]
            fork = Fork(parent, [], max(len(children) - MOST_ALTERNATIVES, 0))
            for seq in children[:MOST_ALTERNATIVES]:
                role, text = texts.get(seq, ("", ""))
                alternatives[seq] = Alternative(seq, role, text, seq in shown, seq in self.active)
                fork.alternatives.append(alternatives[seq])
            above = () if parent is None else (parent, *self._ancestors(parent))
            outer = next((alternatives[seq] for seq in above if seq in alternatives), None)
            (outer.forks if outer else roots).append(fork)
        return roots
