"""Everything that a user has, sent again by a client that knows no other way to save.

The hazards: one bad conversation must not leave half a world behind; a tab that was opened yesterday must not sweep
away what was made elsewhere since; and it comes every second, nearly always with one message more than the last time.
The principle: what is as it was is neither locked nor written; what changed goes the way of `sync`; what was left out
goes to the trash, from where its id brings it back, and only if its client can have known of it. One transaction, under
the user's lock, then the locks of the conversations that change.

What it can have known of is what it was shown or sent last. (By the times of creation and of the last listing, as it
was designed, a conversation was taken for deleted that had come out of the trash or the archive since.)
"""

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from accounts.models import User
from accounts.services import known_to, note_known
from chatstore.database import database_time
from chatstore.errors import Conflict, Invalid
from conversations.core.conversations import build_conversation, update_conversation
from conversations.core.locks import lock_user
from conversations.core.merging import Draft, HistoryMerger, client_id, is_equal, is_named
from conversations.models import Conversation, Message

BATCH = 1_000


class SessionInput(NamedTuple):
    """A conversation as its client has it."""

    name: str  # its client's id, or ours
    fields: dict[str, Any]
    drafts: Sequence[Draft]


class SyncProfile(NamedTuple):
    """Through which a whole world comes."""

    source: str
    compared_fields: frozenset[str]  # of a message: the fields that make two the same one
    visible: Callable[[Any], bool]  # of a message: whether the client can see it
    normalize_id: Callable[[str], str]  # of a message's id, as it is stored: as the client knows it
    changes: Callable[[Conversation, dict[str, Any]], dict[str, Any]]  # of the fields that were sent: what is news


def sync_all(*, user: User, profile: SyncProfile, sent: Sequence[SessionInput]) -> None:
    """What was sent is what is listed."""
    try:
        _sync_all(user, profile, sent)
    except IntegrityError:  # another request took an id at this moment: what is there is to be seen now
        _sync_all(user, profile, sent)


@transaction.atomic
def _sync_all(user: User, profile: SyncProfile, sent: Sequence[SessionInput]) -> None:
    lock_user(user)
    stored, seen = _stored(user, sent), known_to(user)
    known = _known(stored, sent)
    changed = _changed(user, profile, known)
    left_out = _left_out(stored, known, seen)
    locked = _locked(user, [row.id for row, _ in changed] + left_out)
    for row, each in changed:
        _apply_session(profile, locked[row.id], each)
    _trash([locked[id] for id in left_out])
    names = {each.name for _, each in known}
    made = _make(user, profile, [each for each in sent if each.name not in names])
    note_known(user=user, ids=[*(row.id for row, _ in known), *made], before=seen)


def _stored(user: User, sent: Sequence[SessionInput]) -> list[Conversation]:
    """What is listed, and whatever else was sent: from the archive or the trash."""
    owned = Conversation.objects.owned_by(user).kept()
    return list(owned.listed() | owned.named(*(each.name for each in sent)))


def _known(stored: Iterable[Conversation], sent: Sequence[SessionInput]) -> list[tuple[Conversation, SessionInput]]:
    """What was sent, each beside the conversation that it is."""
    by_name = _by_name(stored)
    known = [(by_name[each.name], each) for each in sent if each.name in by_name]
    ids = [row.id for row, _ in known] + [each.name for each in sent if each.name not in by_name]
    if doubled := next((id for id, times in Counter(ids).items() if times > 1), None):
        raise Invalid(gettext("Two conversations have the id '{id}'.").format(id=doubled))
    return known


def _by_name(stored: Iterable[Conversation]) -> dict[str, Conversation]:
    """Live ones before trashed ones, their clients' ids before ours, the newest in the trash before older."""
    named = [
        ((row.deleted_at is None, name == row.external_id, row.deleted_at or row.created_at), name, row)
        for row in stored
        for name in {row.external_id, str(row.id)}
        if name
    ]
    return {name: row for _, name, row in sorted(named, key=itemgetter(0))}


def _changed(
    user: User, profile: SyncProfile, known: Sequence[tuple[Conversation, SessionInput]]
) -> list[tuple[Conversation, SessionInput]]:
    fields = {"id", "external_id", "item_type", "role", "content", *profile.compared_fields}
    said = Message.objects.owned_by(user).by_conversation([row.id for row, _ in known], *fields)
    return [(row, each) for row, each in known if not _is_same(profile, row, said[row.id], each)]


def _is_same(profile: SyncProfile, row: Conversation, said: Iterable[Any], sent: SessionInput) -> bool:
    return (
        row.deleted_at is None and not profile.changes(row, sent.fields) and _says_the_same(profile, said, sent.drafts)
    )


def _says_the_same(profile: SyncProfile, said: Iterable[Any], drafts: Sequence[Draft]) -> bool:
    """Then `sync` would find each message where it was, and write nothing."""
    seen = [message for message in said if profile.visible(message)]
    return len(seen) == len(drafts) and all(
        is_named(message, client_id(draft), profile.normalize_id) and is_equal(message, draft, profile.compared_fields)
        for message, draft in zip(seen, drafts, strict=True)
    )


def _left_out(
    stored: Iterable[Conversation], known: Iterable[tuple[Conversation, SessionInput]], seen: Iterable[uuid.UUID]
) -> list[uuid.UUID]:
    sent = {row.id for row, _ in known}
    rest = {row.id for row in stored if row.id not in sent and row.deleted_at is None}
    return sorted(rest.intersection(seen))


def _locked(user: User, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Conversation]:
    if not ids:
        return {}
    rows = {row.id: row for row in Conversation.objects.owned_by(user).kept().filter(id__in=ids).locked()}
    if len(rows) < len(ids):
        raise Conflict(gettext("A conversation was removed for good while this was being saved; send it again."))
    return rows


def _apply_session(profile: SyncProfile, conversation: Conversation, sent: SessionInput) -> None:
    HistoryMerger(conversation, profile.compared_fields, profile.visible, profile.normalize_id).merge(sent.drafts)
    update_conversation(conversation, {"deleted_at": None, **profile.changes(conversation, sent.fields)})


def _trash(locked: Sequence[Conversation]) -> None:
    if locked:
        now = max(row.now for row in locked)
        Conversation.objects.filter(id__in=[row.id for row in locked]).update(deleted_at=now, updated_at=now)


def _make(user: User, profile: SyncProfile, sent: Sequence[SessionInput]) -> list[uuid.UUID]:
    """Store new conversations, and return their ids."""
    if not sent:
        return []
    now = database_time()
    made = [
        build_conversation(
            user, {"external_id": each.name, "source": profile.source, **each.fields}, each.drafts, now=now
        )
        for each in sent
    ]
    Conversation.objects.bulk_create([conversation for conversation, _ in made], batch_size=BATCH)
    Message.objects.bulk_create([message for _, messages in made for message in messages], batch_size=BATCH)
    return [conversation.id for conversation, _ in made]
