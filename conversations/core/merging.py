"""A whole history sent again: what of it is new?

The stored tree is walked from the root beside what was sent. The hazards: a client that resends everything must write
nothing; a stale tab must not erase what another one wrote; an edited question must not drag its old answers along. The
principle: equal stays, the rest becomes a branch beside what was there, and nothing is ever deleted. One transaction,
under the conversation's lock.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.utils.translation import gettext

from chatstore.errors import Invalid
from conversations.models import Conversation, Message, Role

from . import tree
from .comparison import extends, json_equal
from .messages import set_title_from, update_message, with_fingerprints

Draft = dict[str, Any]

# What makes two messages the same one, natively. A contract passes the fields that it speaks.
COMPARED_FIELDS = frozenset("role item_type content parts tool_calls tool_call_id".split())
# What holds what was said, of which growing may lose nothing.
SAID = frozenset({"content", "parts", "reasoning", "tool_calls"})
# What a field is worth where a draft leaves it out.
ABSENT = {field.name: field.get_default() for field in Message._meta.concrete_fields}
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
        visible: Callable[[Message], bool],
        normalize_id: Callable[[str], str] = str,
    ) -> None:
        """`plain`: of an id as it is stored, the one that the sender knows."""
        self.conversation = conversation
        self.compared_fields = compared_fields
        self.normalize_id = normalize_id
        self.rows = list(conversation.messages.order_by("seq"))
        self.own_ids = {str(row.id) for row in self.rows}
        self.seen = {row.seq: row.deleted_at is None and visible(row) for row in self.rows}
        self.children: dict[int | None, list[Message]] = defaultdict(list)
        for row in self.rows:
            self.children[row.parent_seq].append(row)
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
        if self.is_changed:
            tree.refresh_counters(self.conversation)
            tree.save_derived(self.conversation)

    def match(self, at: int | None, draft: Draft) -> Message | None:
        """The stored message that the draft is, brought up to it. Shown before hidden, newer before older."""
        here = sorted(self.below(at), key=lambda row: (row.is_active, row.seq), reverse=True)
        equal = [row for row in here if self.is_equal(row, draft)]
        id = client_id(draft)
        named = [row for row in here if id and is_named(row, id, self.normalize_id)]
        if equal:
            row = next((row for row in equal if row in named), equal[0])
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

    def is_equal(self, row: Message, draft: Draft) -> bool:
        return is_equal(row, draft, self.compared_fields)

    def may_grow(self, draft: Draft) -> Callable[[Message], bool]:
        """A reply that is saved again and again while it streams, under one id."""
        names = SAID & (self.compared_fields | draft.keys())
        return lambda row: (
            row.role == draft["role"]
            and not self.children[row.seq]
            and all(extends(getattr(row, name), _said(draft, name)) for name in names)
        )

    def is_instruction(self, draft: Draft) -> Callable[[Message], bool]:
        """A system prompt that the client rewrites when its settings change."""
        return lambda row: row.is_active and row.role in INSTRUCTIONS and draft["role"] in INSTRUCTIONS

    def apply(self, row: Message, draft: Draft, skip: frozenset[str] = frozenset()) -> None:
        names = (self.compared_fields | draft.keys()) - skip - {"id", "external_id"}
        changes = {name: _said(draft, name) for name in names if not json_equal(getattr(row, name), _said(draft, name))}
        sent_id = draft.get("external_id")
        # Ours names its own message: else one path, when it is read, could hold an id twice.
        if sent_id and sent_id not in self.own_ids and not is_named(row, sent_id, self.normalize_id):
            self.clear_external_ids([sent_id])
            changes["external_id"] = sent_id
        if changes:
            update_message(self.conversation, row, changes)
            self.is_changed = True

    def clear_external_ids(self, external_ids: Sequence[str]) -> None:
        """A client id names the newest message that carried it; older ones give it up."""
        held = [row for row in self.rows if row.external_id in external_ids and row.deleted_at is None]
        if held:
            self.conversation.messages.filter(id__in=[row.id for row in held]).update(external_id=None)
        for row in held:
            row.external_id = None

    def start_branch(self, at: int | None, drafts: Sequence[Draft]) -> None:
        """From here on everything is new: a branch, or simply more of the same conversation."""
        self.clear_external_ids([draft["external_id"] for draft in drafts if draft.get("external_id")])
        end = [at, *(row.seq for row in self.unseen_after(at))][-1]
        if end != self.conversation.tip_seq:
            tree.truncate_active_path(self.conversation, end)
        set_title_from(self.conversation, drafts)
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
