"""A whole history sent again: what of it is new?

The stored tree is walked from the root beside what was sent. The hazards: a client that resends everything must write
nothing; a stale tab must not erase what another one wrote; an edited question must not drag its old answers along. The
principle: equal stays, the rest becomes a branch beside what was there, and nothing is ever deleted. One transaction,
under the conversation's lock.
"""

import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.utils.translation import gettext

from chatstore.errors import Invalid
from conversations.models import Conversation, Message, Role

from . import tree
from .bulk import update_each
from .comparison import extends, json_equal
from .messages import apply_changes, set_title_from, with_fingerprints
from .stored_messages import StoredMessages

Draft = dict[str, Any]

# What makes two messages the same one, natively. A contract passes the fields that it speaks.
COMPARED_FIELDS = frozenset("role item_type content parts tool_calls tool_call_id".split())
# What holds what was said, of which growing may lose nothing.
SAID = frozenset({"content", "parts", "reasoning", "tool_calls"})
# What a field is worth where a draft leaves it out.
ABSENT = {field.name: field.get_default() for field in Message._meta.concrete_fields}
RELEASED: dict[str, Any] = {"external_id": None}
INSTRUCTIONS = (Role.SYSTEM, Role.DEVELOPER)


def refuse_doubled_ids(drafts: Sequence[Draft]) -> None:
    ids = [id for draft in drafts if (id := client_id(draft))]
    doubled = next((id for id, times in Counter(ids).items() if times > 1), None)
    if doubled:
        message = gettext("Two messages of this history have the id {id!r}.")
        raise Invalid(message.format(id=doubled), field="messages")


def client_id(draft: Draft) -> str | None:
    """What its sender calls a message: an id of its own, else ours as it was read."""
    return draft.get("external_id") or (str(draft["id"]) if draft.get("id") else None)


class HistoryMerger:
    def __init__(
        self,
        conversation: Conversation,
        compared_fields: frozenset[str],
        visible: Callable[[Any], bool],
        normalize_id: Callable[[str], str] = str,
    ) -> None:
        """Read the stored messages. `plain` turns an id as it is stored into the one that the sender knows."""
        self.conversation = conversation
        self.compared_fields = compared_fields
        self.normalize_id = normalize_id
        self.stored = StoredMessages(conversation)
        rows = self.stored.rows
        self.own_ids = {str(row.id) for row in rows}
        self.seen = {row.seq: row.deleted_at is None and visible(self.stored.glimpse(row)) for row in rows}
        self.children: dict[int | None, list[Message]] = defaultdict(list)
        for row in rows:
            self.children[row.parent_seq].append(row)
        self.named = {row.external_id: row for row in rows if row.external_id and row.deleted_at is None}
        self.changes: dict[uuid.UUID, dict[str, Any]] = {}  # not written yet
        self.is_changed = False

    def merge(self, drafts: Sequence[Draft]) -> None:
        at: int | None = None
        matched: set[str] = set()
        for index, draft in enumerate(drafts):
            row = self.match(at, draft)
            if row is None:
                self.start_branch(at, [_new(draft, matched) for draft in drafts[index:]])
                break
            at = row.seq
            matched.add(str(row.id))
        else:
            self.end(at)
        self.write()
        if self.is_changed:
            tree.refresh_counters(self.conversation)
            tree.save_derived(self.conversation)

    def match(self, at: int | None, draft: Draft) -> Message | None:
        """Find the stored message that the draft is, and bring it up to date. Shown comes before hidden, newer before
        older; of equal ones, the one with the same client id comes first."""
        here = sorted(self.below(at), key=lambda row: (row.is_active, row.seq), reverse=True)
        id = client_id(draft)
        named = [row for row in here if id and is_named(row, id, self.normalize_id)]
        for row in filter(self.is_equal_to(draft), [*named, *here]):
            self.apply(row, draft, skip=self.compared_fields)
            return row
        for row in [*filter(self.may_grow(draft), named), *filter(self.is_instruction(draft), here)]:
            self.apply(row, draft)
            return row
        return None

    def below(self, at: int | None) -> Iterator[Message]:
        """What the sender can see as answers to `at`: through trashed messages and those it cannot show."""
        waiting = list(self.children[at])
        while waiting:
            row = waiting.pop()
            if self.seen[row.seq]:
                yield row
            else:
                waiting.extend(self.children[row.seq])

    def is_equal_to(self, draft: Draft) -> Callable[[Message], bool]:
        def is_equal_one(row: Message) -> bool:
            if "content" in self.compared_fields and not self.stored.may_have(row, _said(draft, "content")):
                return False
            self.stored.load(row)
            return is_equal(row, draft, self.compared_fields)

        return is_equal_one

    def may_grow(self, draft: Draft) -> Callable[[Message], bool]:
        """A reply that is saved again and again while it streams, under one id."""
        names = SAID & (self.compared_fields | draft.keys())

        def grows_into_it(row: Message) -> bool:
            if row.role != draft["role"] or self.children[row.seq]:
                return False
            self.stored.load(row)
            return all(extends(getattr(row, name), _said(draft, name)) for name in names)

        return grows_into_it

    def is_instruction(self, draft: Draft) -> Callable[[Message], bool]:
        """A system prompt that the client rewrites when its settings change."""
        return lambda row: row.is_active and row.role in INSTRUCTIONS and draft["role"] in INSTRUCTIONS

    def apply(self, row: Message, draft: Draft, skip: frozenset[str] = frozenset()) -> None:
        self.stored.load(row)
        names = (self.compared_fields | draft.keys()) - skip - {"id", "external_id"}
        changes = {name: _said(draft, name) for name in names if not json_equal(getattr(row, name), _said(draft, name))}
        sent_id = draft.get("external_id")
        # Our own ids always refer to their own message; otherwise a path could show the same id twice.
        if sent_id and sent_id not in self.own_ids and not is_named(row, sent_id, self.normalize_id):
            changes["external_id"] = sent_id
        if changes:
            self.change(row, changes)

    def change(self, row: Message, changes: dict[str, Any]) -> None:
        """Change the message in memory; `write` stores it."""
        if sent_id := changes.get("external_id"):
            self.clear_external_ids([sent_id, row.external_id])
            self.named[sent_id] = row
        apply_changes(self.conversation, row, changes)
        self.changes.setdefault(row.id, {}).update(changes, updated_at=row.updated_at)
        self.is_changed = True

    def clear_external_ids(self, external_ids: Iterable[str | None]) -> None:
        """Take the client ids from the messages that have them: an id refers to the newest message that carried it."""
        for row in [self.named.pop(id) for id in external_ids if id in self.named]:
            row.external_id = None
            self.changes.setdefault(row.id, {}).update(RELEASED)

    def write(self) -> None:
        """Store what has changed. Ids are taken away before they are given: they are unique at each moment."""
        released = [id for id, changes in self.changes.items() if "external_id" in changes]
        if released:
            self.conversation.messages.filter(id__in=released, external_id__isnull=False).update(external_id=None)
        update_each({id: changes for id, changes in self.changes.items() if changes != RELEASED})
        self.changes = {}

    def start_branch(self, at: int | None, drafts: Sequence[Draft]) -> None:
        """From here on everything is new: a branch, or simply more of the same conversation."""
        self.clear_external_ids(draft.get("external_id") for draft in drafts)
        end = [at, *(row.seq for row in self.unseen_after(at))][-1]
        if end != self.conversation.tip_seq:
            tree.truncate_active_path(self.conversation, end)
        set_title_from(self.conversation, drafts)
        self.write()
        Message.objects.bulk_create(tree.build_messages(self.conversation, with_fingerprints(drafts), below=end))
        self.is_changed = True

    def end(self, at: int | None) -> None:
        """A shorter history, or another branch, ends the shown path elsewhere and deletes nothing."""
        end = [at, *(row.seq for row in self.unseen_after(at) if row.deleted_at is None)][-1]
        if end != self.conversation.tip_seq:
            tree.truncate_active_path(self.conversation, end)
            self.is_changed = True

    def unseen_after(self, at: int | None) -> Iterator[Message]:
        """What is shown next below `at` and cannot be seen by the sender: it stays where it is."""
        while hidden := [row for row in self.children[at] if row.is_active and not self.seen[row.seq]]:
            at = hidden[0].seq
            yield hidden[0]


def is_named(row: Any, id: str | None, normalize_id: Callable[[str], str] = str) -> bool:
    """By its client's id or by ours; what has no id may be any."""
    return (
        id is None
        or id == str(row.id)
        or (row.external_id is not None and normalize_id(id) == normalize_id(row.external_id))
    )


def is_equal(row: Any, draft: Draft, compared_fields: frozenset[str]) -> bool:
    return all(json_equal(getattr(row, name), _said(draft, name)) for name in compared_fields)


def _new(draft: Draft, matched: set[str]) -> Draft:
    """Without our id, and without an id that already names a message above."""
    left_out = {"id", "external_id"} if draft.get("external_id") in matched else {"id"}
    return {name: value for name, value in draft.items() if name not in left_out}


def _said(draft: Draft, name: str) -> Any:
    return draft.get(name, ABSENT[name])
