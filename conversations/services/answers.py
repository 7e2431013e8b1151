"""Stores the answer of a model to a stored question."""

import uuid
from collections.abc import Callable
from typing import Any

from django.db import transaction

from accounts.models import User
from chatstore.errors import NotFound
from conversations.core import tree
from conversations.core.locks import lock_message
from conversations.core.messages import insert_hidden_message, update_message
from conversations.drafts import MessageDraft
from conversations.models import Conversation, Message
from conversations.querysets import PURGING

from . import messages


@transaction.atomic
def store(*, user: User, question_id: uuid.UUID, draft: MessageDraft) -> Message:
    """Store an answer below its question and return it.

    Return the stored answer instead if another request has answered the question in the meantime. If the question is on
    a hidden branch by now, because it was edited, the answer is hidden, too. Raises NotFound if the user has no such
    live question. Locks the conversation.
    """
    conversation, question = lock_message(user=user, message_id=question_id)
    if stored := Message.objects.answer_to(question):
        return stored
    draft = draft | {"metadata": {"answers": str(question.id)}}
    if not question.is_active:
        return insert_hidden_message(conversation, draft, below=question.seq)
    (answer,), _ = messages.append(user=user, conversation_id=conversation.id, drafts=[draft])
    return answer


@transaction.atomic
def complete(*, user: User, message_id: uuid.UUID, changes: Callable[[Message], dict[str, Any] | None]) -> bool:
    """Write the answer of a model into its message, which was stored when the question was asked.

    Calls `changes` with the message when the conversation is locked. Returns False and writes nothing if it returns
    None. A message in the trash is completed as well, because it can be restored; one that cannot be restored stays
    empty. Raises NotFound if the user has no such message. Locks the conversation.
    """
    owned = Message.objects.owned_by(user).filter(id=message_id)
    ids = owned.values_list("conversation_id", flat=True)
    conversation = Conversation.objects.owned_by(user).filter(id__in=ids).locked().first()
    message = owned.first()  # after the lock, because it can have changed before
    if conversation is None or message is None:
        raise NotFound("message")
    changed = changes(message)
    if changed is None:
        return False
    if PURGING not in (conversation.deleted_at, message.deleted_at):
        update_message(conversation, message, changed)
        tree.refresh_counters(conversation)
        tree.save_derived(conversation)
    return True
