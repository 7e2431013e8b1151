"""Everything that a user has, sent again by a client that knows no other way to save.

The hazards: one bad conversation must not leave half a world behind; a tab that was opened yesterday must not sweep
away what was made elsewhere since; and it comes every second, nearly always with one message more than the last time.
The principle: what is as it was is neither locked nor written; what changed goes the way of `sync`; what was left out
goes to the trash, from where its id brings it back, and only if its client can have known of it. One transaction, under
the user's lock, then the locks of the conversations that change.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext

from accounts.models import Preferences, User
from chatstore.errors import Conflict, Invalid
from conversations.models import Conversation, Message
from conversations.querysets import PURGING

from . import conversations
from .likeness import alike
from .locks import lock_user
from .sync import Draft, Walk, client_id, is_equal, refuse_doubled_ids

BATCH = 1_000


class Sent(NamedTuple):
    """A conversation as its client has it."""

    name: str  # its client's id, or ours
    fields: dict[str, Any]
    drafts: Sequence[Draft]


class Door(NamedTuple):
    """Through which a whole world comes."""

    source: str
    spoken: frozenset[str]  # of a message: the fields that make two the same one
    visible: Callable[[Any], bool]  # of a message: whether the client can see it
    fields: Callable[[Conversation], dict[str, Any]]  # of a conversation: as the client reads them


@transaction.atomic
def sync_all(*, user: User, door: Door, sent: Sequence[Sent]) -> None:
    """What was sent is what is listed."""
    for each in sent:
        refuse_doubled_ids(each.drafts)
    lock_user(user)
    stored = _stored(user, sent)
    known = _known(stored, sent)
    changed = _changed(user, door, known)
    left_out = _left_out(user, door, stored, known)
    locked = _locked(user, [row.id for row, _ in changed] + [row.id for row in left_out])
    for row, each in changed:
        _bring_up(door, locked[row.id], each)
    for row in left_out:
        conversations.change(locked[row.id], {"deleted_at": locked[row.id].now})
    names = {each.name for _, each in known}
    _make(user, door, [each for each in sent if each.name not in names])


def _stored(user: User, sent: Sequence[Sent]) -> list[Conversation]:
    """What is listed, and whatever else was sent: from the archive or the trash."""
    owned = Conversation.objects.owned_by(user)
    meant = owned.listed() | owned.named(*(each.name for each in sent))
    return [row for row in meant if row.deleted_at != PURGING]


def _known(stored: Iterable[Conversation], sent: Sequence[Sent]) -> list[tuple[Conversation, Sent]]:
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


def _changed(user: User, door: Door, known: Sequence[tuple[Conversation, Sent]]) -> list[tuple[Conversation, Sent]]:
    fields = {"id", "external_id", "item_type", "role", "content", *door.spoken}
    said = Message.objects.owned_by(user).by_conversation([row.id for row, _ in known], *fields)
    return [(row, each) for row, each in known if not _is_same(door, row, said[row.id], each)]


def _is_same(door: Door, row: Conversation, said: Iterable[Any], sent: Sent) -> bool:
    return row.deleted_at is None and not _changes(door, row, sent) and _says_the_same(door, said, sent.drafts)


def _says_the_same(door: Door, said: Iterable[Any], drafts: Sequence[Draft]) -> bool:
    """Then `sync` would find each message where it was, and write nothing."""
    seen = [message for message in said if door.visible(message)]
    return len(seen) == len(drafts) and all(
        client_id(draft) in (None, message.external_id, str(message.id)) and is_equal(message, draft, door.spoken)
        for message, draft in zip(seen, drafts, strict=True)
    )


def _changes(door: Door, row: Conversation, sent: Sent) -> dict[str, Any]:
    shown = door.fields(row)
    return {name: value for name, value in sent.fields.items() if not alike(shown[name], value)}


def _left_out(
    user: User, door: Door, stored: Iterable[Conversation], known: Iterable[tuple[Conversation, Sent]]
) -> list[Conversation]:
    """Of what was not sent, what this door made, or what is older than the last listing through it."""
    sent = {row.id for row, _ in known}
    rest = [row for row in stored if row.id not in sent and row.deleted_at is None]
    if not rest:
        return []
    listed_at = Preferences.objects.filter(user=user).values_list("storage_listed_at", flat=True).first()
    return [row for row in rest if row.source == door.source or (listed_at and row.created_at < listed_at)]


def _locked(user: User, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Conversation]:
    if not ids:
        return {}
    rows = {row.id: row for row in Conversation.objects.owned_by(user).filter(id__in=ids).locked()}
    if len(rows) < len(ids) or any(row.deleted_at == PURGING for row in rows.values()):
        raise Conflict(gettext("A conversation was removed for good while this was being saved; send it again."))
    return rows


def _bring_up(door: Door, conversation: Conversation, sent: Sent) -> None:
    Walk(conversation, door.spoken, door.visible).along(sent.drafts)
    conversations.change(conversation, {"deleted_at": None, **_changes(door, conversation, sent)})


def _make(user: User, door: Door, sent: Iterable[Sent]) -> None:
    made = [
        conversations.drafted(user, {"external_id": each.name, "source": door.source, **each.fields}, each.drafts)
        for each in sent
    ]
    Conversation.objects.bulk_create([conversation for conversation, _ in made])
    Message.objects.bulk_create([message for _, messages in made for message in messages], batch_size=BATCH)
