"""Saves all conversations of a user, for a client that knows no other way to save.

Hazards: one invalid conversation causes a partial save; a tab that was opened yesterday deletes conversations that were
created since; the client saves about once a second, usually with only one new message.

Principle: unchanged conversations are neither locked nor written. Changed ones are merged as in `sync.py`. A
conversation that the client left out goes to the trash, but only if the client knows it. It is restored when a client
sends its id again.

The whole save is one transaction, under the user's lock and then the locks of the changed conversations.

A client knows the conversations of the last list that it received, or those of its last save if that came later.
Creation times are not used for this: they would trash conversations that were restored or unarchived after the last
list.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from accounts.models import User
from accounts.services import read_known, save_known
from chatstore.database import database_time
from chatstore.errors import Conflict, Invalid
from conversations.core.bulk import insert_each
from conversations.core.comparison import json_equal
from conversations.core.conversations import build_conversation, update_conversation
from conversations.core.digests import digest, text_bytes
from conversations.core.locks import lock_user
from conversations.core.merging import HistoryMerger, client_id, has_id, is_equal
from conversations.drafts import MessageDraft, SessionInput, SyncProfile
from conversations.models import Conversation, Message
from conversations.usage import is_counted_usage


class Match(NamedTuple):
    """A stored conversation, the session that the client sent for it, and the fields that differ."""

    conversation: Conversation
    session: SessionInput
    changes: dict[str, Any]


def sync_all(*, user: User, source: str, profile: SyncProfile, sessions: Sequence[SessionInput]) -> None:
    """Save these sessions, and trash the conversations that the client knows and left out.

    `source` is stored with new conversations. Raises Invalid if two sessions name the same conversation, and Conflict
    if a conversation is purged during the save. Locks the user and the conversations that change.
    """
    try:
        _sync_all(user, source, profile, sessions)
    except IntegrityError:  # another request has taken an id at the same moment; the second attempt sees its row
        _sync_all(user, source, profile, sessions)


@transaction.atomic
def _sync_all(user: User, source: str, profile: SyncProfile, sessions: Sequence[SessionInput]) -> None:
    lock_user(user)
    stored, known_ids = _stored(user, sessions), read_known(user)
    matches, new = _match(stored, sessions)
    changed = _changed(user, profile, matches)
    left_out = _left_out(stored, matches, known_ids)
    locked = _lock(user, [match.conversation.id for match in changed] + left_out)
    for match in changed:
        conversation = locked[match.conversation.id]
        HistoryMerger(conversation, profile).merge(match.session.drafts)
        update_conversation(conversation, {"deleted_at": None, **match.changes})
    _trash([locked[id] for id in left_out])
    created = _create(user, source, new)
    save_known(user=user, ids=[*(match.conversation.id for match in matches), *created], before=known_ids)


def _stored(user: User, sessions: Sequence[SessionInput]) -> list[Conversation]:
    """Read all listed conversations, and the archived or trashed ones that a session names."""
    owned = Conversation.objects.owned_by(user).kept()
    return list(owned.listed() | owned.named(*(session.name for session in sessions)))


def _match(stored: Iterable[Conversation], sessions: Sequence[SessionInput]) -> tuple[list[Match], list[SessionInput]]:
    """Return the matches of stored and sent conversations, and the new sessions.

    Raises Invalid if two sessions name the same conversation.
    """
    by_name = _by_name(stored)
    pairs = [(by_name[session.name], session) for session in sessions if session.name in by_name]
    new = [session for session in sessions if session.name not in by_name]
    counts = Counter([*(conversation.id for conversation, _ in pairs), *(session.name for session in new)])
    if duplicate := next((id for id, count in counts.items() if count > 1), None):
        raise Invalid(gettext("Two conversations have the id '{id}'.").format(id=duplicate))
    return [Match(row, session, _changed_fields(row, session.fields)) for row, session in pairs], new


def _by_name(stored: Iterable[Conversation]) -> dict[str, Conversation]:
    """Return the conversations by name. The names of a conversation are its external_id and its id.

    If several have the same name, prefer a live one, then the one that has the name as its external_id, then the one
    that was trashed last.
    """
    ranked = [
        ((row.deleted_at is None, name == row.external_id, row.deleted_at or row.created_at), name, row)
        for row in stored
        for name in {row.external_id, str(row.id)}
        if name
    ]
    return {name: row for _, name, row in sorted(ranked, key=itemgetter(0))}


def _changed_fields(conversation: Conversation, fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if not _is_unchanged(conversation, name, value)}


def _is_unchanged(conversation: Conversation, name: str, value: Any) -> bool:
    stored = getattr(conversation, name)
    if isinstance(value, datetime):
        return _to_milliseconds(stored) == _to_milliseconds(value)  # JavaScript has no smaller unit of time
    if name == "reported_usage" and stored is None:
        return is_counted_usage(value, conversation)
    return json_equal(stored, value)


def _to_milliseconds(time: datetime) -> datetime:
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def _changed(user: User, profile: SyncProfile, matches: Sequence[Match]) -> list[Match]:
    """Return the matches to write: trashed ones, and those with changed fields or messages."""
    candidates = [match for match in matches if not match.conversation.deleted_at and not match.changes]
    unchanged = _with_equal_history(user, profile, candidates)
    return [match for match in matches if match.conversation.id not in unchanged]


def _with_equal_history(user: User, profile: SyncProfile, matches: Sequence[Match]) -> set[uuid.UUID]:
    """Return the ids of the conversations that show exactly the messages that were sent.

    Runs one statement for the digests of the stored histories. Runs a second one, which reads messages, if a digest
    differs although the number of messages and the size of their texts are the same.
    """
    if not matches:
        return set()
    sent = {match.conversation.id: match.session.drafts for match in matches}
    sizes = [(id, len(drafts), text_bytes(drafts, profile)) for id, drafts in sent.items()]
    stored = Message.objects.history_digests(user, profile, sizes)
    equal = {id for id, value in stored.items() if value == digest(sent[id], profile)}
    return equal | _read_equal(user, profile, {id: sent[id] for id in stored.keys() - equal})


def _read_equal(user: User, profile: SyncProfile, sent: Mapping[uuid.UUID, Sequence[MessageDraft]]) -> set[uuid.UUID]:
    if not sent:
        return set()
    fields = {"id", "external_id", "item_type", "role", "content", *profile.compared_fields}
    messages = Message.objects.owned_by(user).said().by_conversation(sent, *fields)
    return {id for id, drafts in sent.items() if _has_equal_history(profile, messages[id], drafts)}


def _has_equal_history(profile: SyncProfile, messages: Iterable[Any], drafts: Sequence[MessageDraft]) -> bool:
    visible = [message for message in messages if profile.is_visible(message)]
    return len(visible) == len(drafts) and all(
        has_id(message, client_id(draft), profile) and is_equal(message, draft, profile)
        for message, draft in zip(visible, drafts, strict=True)
    )


def _left_out(
    stored: Iterable[Conversation], matches: Iterable[Match], known_ids: Iterable[uuid.UUID]
) -> list[uuid.UUID]:
    """Return the ids of the live conversations that the client knows and has not sent."""
    sent = {match.conversation.id for match in matches}
    unsent = {row.id for row in stored if row.id not in sent and row.deleted_at is None}
    return sorted(unsent.intersection(known_ids))


def _lock(user: User, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Conversation]:
    if not ids:
        return {}
    rows = {row.id: row for row in Conversation.objects.owned_by(user).kept().filter(id__in=ids).locked()}
    if len(rows) < len(ids):
        raise Conflict(gettext("A conversation was removed for good while this was being saved; send it again."))
    return rows


def _trash(locked: Sequence[Conversation]) -> None:
    if locked:
        now = max(row.now for row in locked)
        Conversation.objects.filter(id__in=[row.id for row in locked]).update(deleted_at=now, updated_at=now)


def _create(user: User, source: str, sessions: Sequence[SessionInput]) -> list[uuid.UUID]:
    """Store new conversations and return their ids."""
    if not sessions:
        return []
    now = database_time()
    built = [
        build_conversation(
            user, {"external_id": session.name, "source": source, **session.fields}, session.drafts, now=now
        )
        for session in sessions
    ]
    insert_each([conversation for conversation, _ in built])
    insert_each([message for _, messages in built for message in messages])
    return [conversation.id for conversation, _ in built]
