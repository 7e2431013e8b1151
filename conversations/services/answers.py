"""Stores the answer of a model to a stored question."""

import uuid

from django.db import transaction

from accounts.models import User
from conversations.core.locks import lock_message
from conversations.core.messages import insert_hidden_message
from conversations.drafts import MessageDraft
from conversations.models import Message

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
