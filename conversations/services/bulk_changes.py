"""Changes several conversations of a user in one request, for example those that are selected in a list."""

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from accounts.models import User
from chatstore.errors import Conflict, Invalid, ServiceError
from conversations.core.conversations import set_changed
from conversations.models import Conversation


class Action(StrEnum):
    TRASH = "trash"
    RESTORE = "restore"
    ARCHIVE = "archive"
    UNARCHIVE = "unarchive"
    PIN = "pin"
    UNPIN = "unpin"
    ADD_TAG = "add_tag"
    REMOVE_TAG = "remove_tag"


@dataclass
class Outcome:
    """The result of an action for each id.

    `done` are the ids of the conversations that changed, or were so already. `refused` has the error of each that the
    action cannot change."""

    done: list[uuid.UUID] = field(default_factory=list)
    not_found: list[uuid.UUID] = field(default_factory=list)
    refused: dict[uuid.UUID, ServiceError] = field(default_factory=dict)


# Returns the new values of a conversation for an action with a tag. Raises ServiceError.
Changes = Callable[[Any, str], dict[str, Any]]


@transaction.atomic
def change_all(*, user: User, ids: Sequence[uuid.UUID], action: Action, tag: str = "") -> Outcome:
    """Apply one action to these conversations, and return the result for each.

    Only RESTORE and TRASH find conversations in the trash. RESTORE refuses a conversation if another live one has its
    id or its external_id as a name. ADD_TAG refuses one that has LABELS_LIMIT tags. The others are changed.

    Raises Conflict, and changes nothing, if another request takes an external_id at this moment. Locks the
    conversations in the order of their ids. Runs the same statements for one and for many.
    """
    owned = Conversation.objects.owned_by(user)
    found = owned.kept() if action in (Action.TRASH, Action.RESTORE) else owned.live()
    rows = {row.id: row for row in found.filter(id__in=ids).locked()}
    changes = _restore(user, rows.values()) if action == Action.RESTORE else CHANGES[action]
    outcome, changed = Outcome(), dict[uuid.UUID, list[str]]()
    for id in dict.fromkeys(ids):
        if id not in rows:
            outcome.not_found.append(id)
            continue
        try:
            changed[id] = set_changed(rows[id], changes(rows[id], tag))
        except ServiceError as error:
            outcome.refused[id] = error
    _save([rows[id] for id, columns in changed.items() if columns], set().union(*changed.values()))
    outcome.done = list(changed)
    return outcome


def _save(rows: list[Conversation], columns: set[str]) -> None:
    if not rows:
        return
    try:
        with transaction.atomic():
            Conversation.objects.bulk_update(rows, sorted(columns))
    except IntegrityError:  # only the constraint knows whether another request takes the id at this moment
        message = gettext("Another request took an external_id of these conversations at this moment. Try again.")
        raise Conflict(message, field="ids") from None


def _add_tag(row: Conversation, tag: str) -> dict[str, Any]:
    if tag in row.tags:
        return {}
    if len(row.tags) >= settings.LABELS_LIMIT:
        message = gettext("A conversation can have at most {count} tags.")
        raise Invalid(message.format(count=settings.LABELS_LIMIT), field="tags")
    return {"tags": [*row.tags, tag]}


CHANGES: dict[Action, Changes] = {
    Action.TRASH: lambda row, tag: {"deleted_at": row.deleted_at or row.now},
    Action.ARCHIVE: lambda row, tag: {"archived_at": row.archived_at or row.now},
    Action.UNARCHIVE: lambda row, tag: {"archived_at": None},
    Action.PIN: lambda row, tag: {"is_pinned": True},
    Action.UNPIN: lambda row, tag: {"is_pinned": False},
    Action.ADD_TAG: _add_tag,
    Action.REMOVE_TAG: lambda row, tag: {"tags": [label for label in row.tags if label != tag]},
}


def _restore(user: User, rows: Iterable[Conversation]) -> Changes:
    """Return the change that takes a conversation out of the trash, unless one of its names is taken.

    Each conversation that is restored takes its names, so of two with the same external_id only one is restored."""
    names = {name for row in rows if row.deleted_at for name in _names(row)}
    live = Conversation.objects.owned_by(user).live().named(*names).only("id", "external_id")
    taken = {name for row in live for name in _names(row)}

    def restore(row: Conversation, tag: str) -> dict[str, Any]:
        if row.deleted_at is None:
            return {}
        if name := next((name for name in _names(row) if name in taken), None):
            message = gettext("Another conversation has the external_id {id!r} by now.")
            raise Conflict(message.format(id=name), field="external_id")
        taken.update(_names(row))
        return {"deleted_at": None}

    return restore


def _names(row: Conversation) -> list[str]:
    return [name for name in (row.external_id, str(row.id)) if name]
