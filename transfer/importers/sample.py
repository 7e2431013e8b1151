"""Sample conversations of several users (`sample/console.jsonl`), so that the staff console is not empty.

Each line is a conversation as in `jsonl.py`, and has four more keys: `owner`, an e-mail address; `hours_ago`, the
conversation's age; `source`; and `state`, which is "archived", "trash" or missing. A message can have `reactions`.
"""

import json
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.management.users import get_user
from accounts.models import User
from conversations.models import Conversation, Message, Reaction
from conversations.services import conversations, reactions

from . import jsonl

SECONDS = {"tool": 2, "assistant": 6}  # before a message of this role
OTHER_SECONDS = 40


@transaction.atomic
def load(line: bytes) -> bool:
    """Store the conversation of a line, with times relative to now. Return whether it is new. A conversation that the
    owner already has, also in the trash, is not stored again. Raises Invalid."""
    row = json.loads(line)
    owner = _owner(row.pop("owner"))
    if Conversation.objects.owned_by(owner).filter(external_id=row["id"]).exists():
        return False
    start = timezone.now() - timedelta(hours=row.pop("hours_ago"))
    source, state = row.pop("source"), row.pop("state", None)
    tree = jsonl.parse(json.dumps(row | _times(row["messages"], start, state)).encode())
    if tree is None:
        raise ValueError(f"{row['id']} is in the trash. Use the key `state`.")
    stored, _ = conversations.create(
        user=owner, fields=tree.fields | {"source": source}, drafts=tree.drafts, shape=tree.shape
    )
    for message, sent in zip(stored.messages.order_by("seq"), row["messages"], strict=True):
        _react(owner, message, sent.get("reactions", []))
    if state == "trash":
        conversations.trash(user=owner, conversation_id=stored.id)
    return True


def _owner(email: str) -> User:
    """Return the user with this address. Create a missing user, with a name that is made from the address."""
    user = get_user(email, create=True)
    if not user.name:
        user.name = email.partition("@")[0].replace(".", " ").title()
        user.save(update_fields=["name", "updated_at"])
    return user


def _times(messages: list[dict[str, Any]], start: datetime, state: str | None) -> dict[str, Any]:
    """Return the times of the conversation, and its messages with theirs."""
    times = [start]
    for message in messages:
        times.append(times[-1] + timedelta(seconds=SECONDS.get(message["role"], OTHER_SECONDS)))
    timed = [message | {"created_at": time.isoformat()} for message, time in zip(messages, times[1:], strict=True)]
    archived = {"archived_at": times[-1].isoformat()} if state == "archived" else {}
    return {"created_at": start.isoformat(), "messages": timed, **archived}


def _react(owner: User, message: Message, types: list[str]) -> None:
    for type in types:
        reaction, _ = reactions.react(user=owner, message_id=message.id, type=type)
        Reaction.objects.filter(id=reaction.id).update(created_at=message.created_at + timedelta(seconds=20))
