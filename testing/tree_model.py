"""A reference model of a conversation in pure Python, for tests that compare it with the stored conversation.

It follows the design and shares no code with the services. It stores each message's parent and the last message of the
active path, and computes everything else from them on each call.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

Draft = dict[str, Any]
INSTRUCTIONS = ("system", "developer")


@dataclass(eq=False)
class ReferenceMessage:
    seq: int
    parent: "ReferenceMessage | None"
    role: str
    content: str
    external_id: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    is_live: bool = True
    item_type: str = "message"
    id: str = ""  # copied from the stored message

    @property
    def path(self) -> list["ReferenceMessage"]:
        """The messages from the root to this one."""
        return [*(self.parent.path if self.parent else ()), self]

    def change(self, draft: Draft) -> None:
        for name in draft.keys() - {"id", "external_id"}:
            setattr(self, name, draft[name])


Predicate = Callable[[ReferenceMessage], bool]


class ReferenceConversation:
    def __init__(self) -> None:
        self.all: list[ReferenceMessage] = []
        self.tip: ReferenceMessage | None = None

    # The active path

    @property
    def path(self) -> list[ReferenceMessage]:
        return self.tip.path if self.tip else []

    @property
    def shown(self) -> list[ReferenceMessage]:
        return [message for message in self.path if message.is_live]

    @property
    def preview(self) -> str:
        texts = [message.content for message in self.shown if message.content.strip()]
        return " ".join(texts[-1].split())[:200] if texts else ""

    def tokens(self, kind: str) -> int:
        return sum(getattr(message, kind) or 0 for message in self.all)

    # Operations on the tree

    def append(self, draft: Draft) -> None:
        message = ReferenceMessage(
            seq=len(self.all) + 1, parent=self.tip, role="", content="", external_id=draft.get("external_id")
        )
        message.change(draft)
        self.all.append(message)
        self.tip = message

    def branch(self, message: ReferenceMessage, changes: Draft) -> None:
        self.tip = message.parent
        self.append({"role": message.role, "content": message.content, **changes})

    def switch(self, message: ReferenceMessage) -> None:
        children = list(self.live_children(message))
        if children:
            self.switch(max(children, key=lambda child: child.seq))
        else:
            self.tip = message

    def trash(self, message: ReferenceMessage) -> None:
        message.is_live = False
        if message is self.tip:
            self.tip = self.live_ancestor(message)

    def restore(self, message: ReferenceMessage) -> None:
        message.is_live = True
        if self.live_ancestor(message) is self.tip:
            self.tip = message

    def is_taken(self, client_id: str) -> bool:
        return any(message.is_live and message.external_id == client_id for message in self.all)

    def live_ancestor(self, message: ReferenceMessage) -> ReferenceMessage | None:
        return next((ancestor for ancestor in reversed(message.path[:-1]) if ancestor.is_live), None)

    def live_children(
        self, parent: ReferenceMessage | None, visible: Predicate = lambda message: True
    ) -> Iterator[ReferenceMessage]:
        """Yield the live and visible children. The children of a trashed or invisible child take its place."""
        for message in self.all:
            if message.parent is parent:
                is_seen = message.is_live and visible(message)
                yield from [message] if is_seen else self.live_children(message, visible)

    # Synchronization of a complete history

    def sync(self, drafts: Sequence[Draft], visible: Predicate) -> None:
        last: ReferenceMessage | None = None
        matched_ids = []
        for index, draft in enumerate(drafts):
            match = self.match(last, draft, visible)
            if match is None:
                self.tip = self.with_invisible_successors(last, visible)[-1]
                self.append_new(drafts[index:], matched_ids)
                return
            last = match
            matched_ids.append(match.id)
            self.apply(match, draft)
        after = self.with_invisible_successors(last, visible)
        self.tip = [message for message in after if message is None or message.is_live][-1]

    def append_new(self, drafts: Sequence[Draft], matched_ids: Sequence[str]) -> None:
        for draft in drafts:
            if draft.get("external_id") in matched_ids:
                draft = draft | {"external_id": None}
            self.release(draft.get("external_id"))
            self.append(draft)

    def match(self, last: ReferenceMessage | None, draft: Draft, visible: Predicate) -> ReferenceMessage | None:
        """Return the child of `last` that the draft matches: an equal child, a child whose text the draft extends, or
        an instruction that the draft edits."""
        children = sorted(
            self.live_children(last, visible), key=lambda child: (child in self.path, child.seq), reverse=True
        )
        id = draft.get("external_id") or draft.get("id")
        same_id = [child for child in children if id and id in (child.external_id, child.id)]
        equal = [child for child in children if (child.role, child.content) == (draft["role"], draft["content"])]
        extended = [
            child
            for child in same_id
            if child.role == draft["role"]
            and draft["content"].startswith(child.content)
            and all(message.parent is not child for message in self.all)
        ]
        edited = [
            child for child in children if child in self.path and {child.role, draft["role"]} <= set(INSTRUCTIONS)
        ]
        return next(iter([*(child for child in equal if child in same_id), *equal, *extended, *edited]), None)

    def apply(self, message: ReferenceMessage, draft: Draft) -> None:
        message.change(draft)
        if draft.get("external_id") not in (None, message.external_id, *(other.id for other in self.all)):
            self.release(draft["external_id"])
            message.external_id = draft["external_id"]

    def release(self, external_id: str | None) -> None:
        for message in self.all:
            if external_id and message.is_live and message.external_id == external_id:
                message.external_id = None

    def with_invisible_successors(
        self, last: ReferenceMessage | None, visible: Predicate
    ) -> list[ReferenceMessage | None]:
        """Return `last` and, directly after it on the active path, the messages that are trashed or invisible."""
        if last is not None and last not in self.path:
            return [last]
        rest = self.path[self.path.index(last) + 1 :] if last else self.path
        return [last, *takewhile(lambda message: not (message.is_live and visible(message)), rest)]
