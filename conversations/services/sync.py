"""Saves the whole history of one conversation that a client sends again."""

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction

from accounts.models import User
from conversations.core.locks import lock_conversation
from conversations.core.merging import COMPARED_FIELDS, HistoryMerger, refuse_doubled_ids
from conversations.models import Conversation, Message


@transaction.atomic
def sync(
    *,
    user: User,
    conversation_id: uuid.UUID,
    drafts: Sequence[dict[str, Any]],
    compared_fields: frozenset[str] = COMPARED_FIELDS,
    visible: Callable[[Message], bool] = lambda message: True,
) -> Conversation:
    """What was sent is what is shown. Equal input writes nothing, not even the conversation's row.

    Compared are the `spoken` fields and whatever else a draft names; `visible` says which messages the sender can see.
    """
    refuse_doubled_ids(drafts)
    conversation = lock_conversation(user=user, conversation_id=conversation_id)
    HistoryMerger(conversation, compared_fields, visible).merge(drafts)
    return conversation
