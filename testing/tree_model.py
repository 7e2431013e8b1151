"""A conversation in plain Python, written from the design and not from the services: what they have to come to.

Stored are who answers whom and where the shown path ends; all else is worked out from that each time it is asked.
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
    id: str = ""  # ours, as the database gave it

    @property
    def way(self) -> list["ReferenceMessage"]:
        """From the root to here."""
        return [*(self.parent.way if self.parent else ()), self]

    def take(self, draft: Draft) -> None:
        for name in draft.keys() - {"id", "external_id"}:
            setattr(self, name, draft[name])


class ReferenceConversation:
    def __init__(self) -> None:
        self.all: list[ReferenceMessage] = []
        self.tip: ReferenceMessage | None = None

    # What is shown.

    @property
    def path(self) -> list[ReferenceMessage]:
        return self.tip.way if self.tip else []

    @property
    def shown(self) -> list[ReferenceMessage]:
        return [said for said in self.path if said.is_live]

    @property
    def preview(self) -> str:
        texts = [said.content for said in self.shown if said.content.strip()]
        return " ".join(texts[-1].split())[:200] if texts else ""

    def tokens(self, kind: str) -> int:
        return sum(getattr(said, kind) or 0 for said in self.all)

    # The tree.

    def append(self, draft: Draft) -> None:
        said = ReferenceMessage(
            seq=len(self.all) + 1, parent=self.tip, role="", content="", external_id=draft.get("external_id")
        )
        said.take(draft)
        self.all.append(said)
        self.tip = said

    def branch(self, said: ReferenceMessage, changes: Draft) -> None:
        self.tip = said.parent
        self.append({"role": said.role, "content": said.content, **changes})

    def switch(self, said: ReferenceMessage) -> None:
        answers = list(self.answers(said))
        if answers:
            self.switch(max(answers, key=lambda answer: answer.seq))
        else:
            self.tip = said

    def trash(self, said: ReferenceMessage) -> None:
        said.is_live = False
        if said is self.tip:
            self.tip = self.live_ancestor(said)

    def restore(self, said: ReferenceMessage) -> None:
        said.is_live = True
        if self.live_ancestor(said) is self.tip:
            self.tip = said

    def is_taken(self, client_id: str) -> bool:
        return any(said.is_live and said.external_id == client_id for said in self.all)

    def live_ancestor(self, said: ReferenceMessage) -> ReferenceMessage | None:
        return next((above for above in reversed(said.way[:-1]) if above.is_live), None)

    def answers(
        self, to: ReferenceMessage | None, sees: Callable[[ReferenceMessage], bool] = lambda said: True
    ) -> Iterator[ReferenceMessage]:
        """What was said next, as far as it is live and seen: past what is not."""
        for said in self.all:
            if said.parent is to:
                yield from [said] if said.is_live and sees(said) else self.answers(said, sees)

    # A whole history.

    def sync(self, drafts: Sequence[Draft], sees: Callable[[ReferenceMessage], bool]) -> None:
        at: ReferenceMessage | None = None
        matched = []
        for index, draft in enumerate(drafts):
            found = self.match(at, draft, sees)
            if found is None:
                self.tip = self.unseen_after(at, sees)[-1]
                for new in drafts[index:]:
                    if new.get("external_id") in matched:
                        new = new | {"external_id": None}
                    self.release(new.get("external_id"))
                    self.append(new)
                return
            at = found
            matched.append(found.id)
            self.take(found, draft)
        self.tip = [said for said in self.unseen_after(at, sees) if said is None or said.is_live][-1]

    def match(
        self, at: ReferenceMessage | None, draft: Draft, sees: Callable[[ReferenceMessage], bool]
    ) -> ReferenceMessage | None:
        here = sorted(self.answers(at, sees), key=lambda said: (said in self.path, said.seq), reverse=True)
        id = draft.get("external_id") or draft.get("id")
        named = [said for said in here if id and id in (said.external_id, said.id)]
        equal = [said for said in here if (said.role, said.content) == (draft["role"], draft["content"])]
        grows = [
            said
            for said in named
            if said.role == draft["role"]
            and draft["content"].startswith(said.content)
            and all(answer.parent is not said for answer in self.all)
        ]
        edited = [said for said in here if said in self.path and {said.role, draft["role"]} <= set(INSTRUCTIONS)]
        return next(iter([*(said for said in equal if said in named), *equal, *grows, *edited]), None)

    def take(self, said: ReferenceMessage, draft: Draft) -> None:
        said.take(draft)
        if draft.get("external_id") not in (None, said.external_id, *(other.id for other in self.all)):
            self.release(draft["external_id"])
            said.external_id = draft["external_id"]

    def release(self, external_id: str | None) -> None:
        for said in self.all:
            if external_id and said.is_live and said.external_id == external_id:
                said.external_id = None

    def unseen_after(
        self, at: ReferenceMessage | None, sees: Callable[[ReferenceMessage], bool]
    ) -> list[ReferenceMessage | None]:
        """`at`, and what is shown next without being seen: it stays where it is."""
        if at is not None and at not in self.path:
            return [at]
        rest = self.path[self.path.index(at) + 1 :] if at else self.path
        return [at, *takewhile(lambda said: not (said.is_live and sees(said)), rest)]
