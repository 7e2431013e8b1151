"""Merges the whole history of messages that a client sends into the stored tree of its conversation.

Hazards: an unchanged history is written again; a stale tab erases messages of another tab; the active path shows the
old answers to an edited question; a client saves a part of an answer that chatstore is still writing.

Principle: equal messages stay; growing replies and system prompts are updated in place; any other message starts a
branch; nothing is deleted. An answer that is being written stays in its place, also if the client leaves it out. Its
beginning is the same message, and its text is left to the reply.

Everything here runs under the conversation's lock, in one transaction.
"""

import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import takewhile
from typing import Any

from django.utils.translation import gettext

from chatstore.errors import Invalid
from chatstore.ids import as_uuid
from conversations.drafts import CONTENT_FIELDS, REPLY_FIELDS, MessageDraft, SyncProfile
from conversations.models import Conversation, Message, Role, Status

from . import tree
from .bulk import insert_each, update_each
from .comparison import extends, json_equal
from .messages import apply_changes, set_title_from
from .stored_messages import StoredMessage, StoredMessages

# A client can save a reply several times while the reply streams. From save to save, these fields only get longer.
GROWING_FIELDS = CONTENT_FIELDS | {"reasoning"}
DEFAULTS = {field.name: field.get_default() for field in Message._meta.concrete_fields}
KEPT = {"id", "external_id", "created_at"}
CLEARED: dict[str, Any] = {"external_id": None}
INSTRUCTIONS = (Role.SYSTEM, Role.DEVELOPER)


def refuse_doubled_ids(drafts: Sequence[MessageDraft]) -> None:
    """Raise Invalid if two messages of a history have the same id."""
    ids = [id for draft in drafts if (id := client_id(draft))]
    duplicate = next((id for id, count in Counter(ids).items() if count > 1), None)
    if duplicate:
        message = gettext("Two messages of this history have the id {id!r}.")
        raise Invalid(message.format(id=duplicate), field="messages")


def client_id(draft: MessageDraft) -> str | None:
    """Return the id that the client uses: its external_id, or otherwise chatstore's id of a message that it read."""
    return draft.get("external_id") or (str(draft["id"]) if draft.get("id") else None)


class HistoryMerger:
    """Merges one history into a locked conversation. Collects the changes and writes them at the end."""

    def __init__(self, conversation: Conversation, profile: SyncProfile) -> None:
        """Read the stored messages. Runs one statement, and one more if a message is in progress."""
        self.conversation = conversation
        self.profile = profile
        self.stored = StoredMessages(conversation)
        rows = self.stored.rows
        unfinished = [row.id for row in rows if row.status == Status.IN_PROGRESS]
        # The texts of answers that are being written, by the id of the message.
        self.written = conversation.messages.filter(id__in=unfinished).written_so_far() if unfinished else {}
        self.visible = {
            row.seq: row.deleted_at is None
            and row.id not in self.written
            and profile.is_visible(self.stored.outline(row))
            and (profile.visible_roles is None or not self.stored.is_silent(row))
            for row in rows
        }
        self.children: dict[int | None, list[StoredMessage]] = defaultdict(list)
        for row in rows:
            self.children[row.parent_seq].append(row)
        self.by_external_id = {row.external_id: row for row in rows if row.external_id and row.deleted_at is None}
        self.changes: dict[uuid.UUID, dict[str, Any]] = {}  # not written yet
        self.is_changed = False
        self.is_recounted = False  # the active path changes in another way than by new messages at its end

    @cached_property
    def own_ids(self) -> set[str]:
        return {str(row.id) for row in self.stored.rows}

    def merge(self, drafts: Sequence[MessageDraft]) -> None:
        """Make the active path show these messages. Writes nothing if it shows them already."""
        last: int | None = None
        matched: set[uuid.UUID] = set()
        for index, draft in enumerate(drafts):
            row = self.match(last, draft)
            if row is None:
                self.start_branch(last, [_new_draft(draft, matched) for draft in drafts[index:]])
                break
            last = row.seq
            matched.add(row.id)
        else:
            self.end_at(last)
        self.write()
        if self.is_changed:
            if self.is_recounted:
                tree.refresh_counters(self.conversation)
            tree.save_derived(self.conversation)

    def match(self, last: int | None, draft: MessageDraft) -> StoredMessage | None:
        """Find the child of `last` that the draft repeats, and update it. Return None if there is none.

        The kinds of match, best first: an equal message with the same id, another equal message, a growing reply with
        the same id, an active system prompt, an answer that is being written and begins with the draft. Within a kind,
        active messages come first, then newer ones.
        """
        children = sorted(self.visible_children(last), key=lambda row: (row.is_active, row.seq), reverse=True)
        id = client_id(draft)
        with_id = [row for row in children if id and has_id(row, id, self.profile)]
        for row in filter(self.is_equal_to(draft), [*with_id, *children]):
            self.apply(row, draft, skip=self.profile.compared_fields)
            return row
        for row in [*filter(self.can_grow_to(draft), with_id), *filter(self.is_instruction(draft), children)]:
            self.apply(row, draft)
            return row
        answer = self.being_written(last, draft)
        if answer:
            self.apply(answer, draft, skip=self.profile.compared_fields | REPLY_FIELDS)
        return answer

    def visible_children(self, seq: int | None) -> Iterator[StoredMessage]:
        """Yield the children that the client can see. The children of an invisible message take its place."""
        return (row for row in self.next_rows(seq) if self.visible[row.seq])

    def next_rows(self, seq: int | None) -> Iterator[StoredMessage]:
        """Yield the children, and the children of each invisible one."""
        waiting = list(self.children[seq])
        while waiting:
            row = waiting.pop()
            yield row
            if not self.visible[row.seq]:
                waiting.extend(self.children[row.seq])

    def being_written(self, last: int | None, draft: MessageDraft) -> StoredMessage | None:
        """Return the answer after `last` that is being written and of which the draft is the beginning."""
        if draft["role"] != Role.ASSISTANT or draft.get("tool_calls") or draft.get("parts"):
            return None
        rows = (row for row in self.next_rows(last) if row.id in self.written and row.deleted_at is None)
        return next((row for row in rows if self.written[row.id].startswith(draft.get("content") or "")), None)

    def is_equal_to(self, draft: MessageDraft) -> Callable[[StoredMessage], bool]:
        """Return a function that tells whether a message equals the draft in the compared fields."""

        def predicate(row: StoredMessage) -> bool:
            compares_content = "content" in self.profile.compared_fields
            if compares_content and not self.stored.can_have(row, _value(draft, "content")):
                return False
            self.stored.load(row)
            return is_equal(row, draft, self.profile)

        return predicate

    def can_grow_to(self, draft: MessageDraft) -> Callable[[StoredMessage], bool]:
        """Return a function that tells whether a message can be an earlier, shorter save of the draft.

        Such a message has no children and the same role, and the draft only adds to the end of its growing fields.
        """
        names = GROWING_FIELDS & (self.profile.compared_fields | draft.keys())

        def predicate(row: StoredMessage) -> bool:
            if row.role != draft["role"] or self.children[row.seq]:
                return False
            self.stored.load(row)
            return all(extends(getattr(row, name), _value(draft, name)) for name in names)

        return predicate

    def is_instruction(self, draft: MessageDraft) -> Callable[[StoredMessage], bool]:
        """Return a function that tells whether a message is active, and both it and the draft are system prompts.

        A client rewrites its system prompt when its settings change.
        """
        return lambda row: row.is_active and row.role in INSTRUCTIONS and draft["role"] in INSTRUCTIONS

    def apply(self, row: StoredMessage, draft: MessageDraft, skip: frozenset[str] = frozenset()) -> None:
        """Update a message with the draft's fields and external_id. Compared fields that the draft leaves out get their
        defaults. The id, the creation time and fields in `skip` do not change."""
        self.stored.load(row)
        names = (self.profile.compared_fields | draft.keys()) - skip - KEPT
        values = {name: _value(draft, name) for name in names}
        changes = {name: value for name, value in values.items() if not json_equal(getattr(row, name), value)}
        sent_id = draft.get("external_id")
        # An id that chatstore assigned always means its own message. As external_id of another, it would be ambiguous.
        if sent_id and sent_id not in self.own_ids and not has_id(row, sent_id, self.profile):
            changes["external_id"] = sent_id
        if changes:
            self.change(row, changes)

    def change(self, row: StoredMessage, changes: dict[str, Any]) -> None:
        """Change a message in memory. `write` stores the change."""
        if sent_id := changes.get("external_id"):
            self.clear_external_ids([sent_id, row.external_id])
            self.by_external_id[sent_id] = row
        apply_changes(self.conversation, row, changes)
        self.changes.setdefault(row.id, {}).update(changes, updated_at=row.updated_at)
        self.is_changed = self.is_recounted = True

    def clear_external_ids(self, external_ids: Iterable[str | None]) -> None:
        """Remove these external_ids from their messages. An external_id belongs to the message that got it last."""
        for row in [self.by_external_id.pop(id) for id in external_ids if id in self.by_external_id]:
            row.external_id = None
            self.changes.setdefault(row.id, {}).update(CLEARED)

    def write(self) -> None:
        """Store the changes. External ids are cleared first: each statement must satisfy the unique constraint."""
        cleared = [id for id, changes in self.changes.items() if "external_id" in changes]
        if cleared:
            self.conversation.messages.filter(id__in=cleared, external_id__isnull=False).update(external_id=None)
        update_each({id: changes for id, changes in self.changes.items() if changes != CLEARED})
        self.changes = {}

    def start_branch(self, last: int | None, drafts: Sequence[MessageDraft]) -> None:
        """Add the drafts after `last` and the invisible messages that follow it, as the end of the active path.

        An answer becomes an alternative of one that is being written, or both would be displayed."""
        self.clear_external_ids(draft.get("external_id") for draft in drafts)
        before = self.written if drafts[0]["role"] == Role.ASSISTANT else ()
        skipped = takewhile(lambda row: row.id not in before, self.invisible_after(last))
        end = [last, *(row.seq for row in skipped)][-1]
        self.truncate(end)
        set_title_from(self.conversation, drafts)
        self.write()
        insert_each(tree.build_messages(self.conversation, drafts, below=end))
        self.is_changed = True

    def end_at(self, last: int | None) -> None:
        """End the active path after `last` and the invisible messages that follow it. Nothing is deleted."""
        end = [last, *(row.seq for row in self.invisible_after(last) if row.deleted_at is None)][-1]
        self.truncate(end)

    def truncate(self, end: int | None) -> None:
        if end != self.conversation.tip_seq:
            tree.truncate_active_path(self.conversation, end)
            self.is_changed = self.is_recounted = True

    def invisible_after(self, seq: int | None) -> Iterator[StoredMessage]:
        """Yield the chain of active messages after `seq` that are trashed or that the client cannot see. New messages
        are added after them."""
        while invisible := [row for row in self.children[seq] if row.is_active and not self.visible[row.seq]]:
            seq = invisible[0].seq
            yield invisible[0]


def has_id(row: Any, id: str | None, profile: SyncProfile) -> bool:
    """Return whether the client's id refers to this message. True if the id is None."""
    if id is None or id == str(row.id):
        return True
    return row.external_id is not None and profile.normalize_id(id) == profile.normalize_id(row.external_id)


def is_equal(row: Any, draft: MessageDraft, profile: SyncProfile) -> bool:
    """Return whether a message and a draft have the same values in the compared fields."""
    return all(json_equal(getattr(row, name), draft.get(name, DEFAULTS[name])) for name in profile.compared_fields)


def _new_draft(draft: MessageDraft, matched: set[uuid.UUID]) -> MessageDraft:
    """Return the draft without `id`, and without an external_id that is chatstore's id of a matched message."""
    left_out = {"id", "external_id"} if as_uuid(draft.get("external_id") or "") in matched else {"id"}
    return {name: value for name, value in draft.items() if name not in left_out}  # type: ignore[return-value]


def _value(draft: MessageDraft, name: str) -> Any:
    return draft.get(name, DEFAULTS[name])
