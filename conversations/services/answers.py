"""The answers of models to stored questions. A reply begins as a message in progress, without text.

`metadata.answers` of an answer names its question, because other messages can come between the two. A client can
replace the metadata. Then the request of the reply names the question while chatstore keeps it, for a day. Without
both, an answer belongs to the message directly before it.
"""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from accounts.models import User
from chatstore.errors import Invalid
from chatstore.ids import as_uuid
from conversations.core import bulk, tree
from conversations.core.locks import lock_message
from conversations.core.messages import (
    apply_changes,
    insert_alternative,
    insert_hidden_message,
    insert_messages,
)
from conversations.drafts import MessageDraft
from conversations.models import Conversation, Message, Role, Status
from conversations.querysets import PURGING


@transaction.atomic
def begin(*, user: User, question_id: uuid.UUID, model: str) -> tuple[Message, bool]:
    """Return the answer to a question, and whether it is new. A new answer is in progress and has no text.

    If the question has a live answer that has not failed, return that one. If its answer has failed and nothing
    follows, the new answer is an alternative of the failed one. If the question is on a hidden branch by now, because
    it was edited, the answer is hidden, too. Otherwise the answer is appended. Raises NotFound if the user has no such
    live question. Locks the conversation.
    """
    conversation, question = lock_message(user=user, message_id=question_id)
    stored = Message.objects.answer_to(question)
    if stored and stored.status != Status.FAILED:
        return stored, False
    draft = _draft(question.id, model)
    if not question.is_active:
        return insert_hidden_message(conversation, draft, below=question.seq), True
    if stored and stored.seq == conversation.tip_seq:
        return insert_alternative(conversation, stored, draft), True
    (answer,) = insert_messages(conversation, [draft])
    return answer, True


@transaction.atomic
def begin_again(*, user: User, answer_id: uuid.UUID, model: str) -> tuple[Message, uuid.UUID]:
    """Store an alternative of an answer, in progress and without text. Return it and the id of its question.

    The active path ends at the alternative.

    Raises NotFound if the user has no such live message; Invalid if the message is not an answer. Locks the
    conversation.
    """
    conversation, answer = lock_message(user=user, message_id=answer_id)
    question = _question_of(conversation, answer)
    if question is None:
        raise Invalid(gettext("This message is no answer to a message."), field="message_id")
    return insert_alternative(conversation, answer, _draft(question.id, model)), question.id


@transaction.atomic(savepoint=False)
def complete(
    *,
    owners: Mapping[uuid.UUID, uuid.UUID],
    changes: Callable[[Mapping[uuid.UUID, Message]], Mapping[uuid.UUID, dict[str, Any]]],
) -> None:
    """Write answers of models into their messages, which were stored when the questions were asked.

    `owners` has the id of the user for the id of each message. When the conversations are locked, `changes` is called
    with the messages that exist, by id, and returns the new values by id. A message in the trash is completed as well,
    because it can be restored; one that cannot be restored stays empty. Locks the conversations.
    """
    found = Message.objects.filter(id__in=owners)
    conversations = Conversation.objects.filter(id__in=found.values("conversation_id")).locked()
    by_id = {conversation.id: conversation for conversation in conversations}
    messages = {message.id: message for message in found if owners[message.id] == message.user_id}
    written = {}
    for id, values in changes(messages).items():
        message, conversation = messages[id], by_id[messages[id].conversation_id]
        if PURGING not in (conversation.deleted_at, message.deleted_at):
            apply_changes(conversation, message, values)
            written[id] = values | {"updated_at": message.updated_at}
    bulk.update_each(written)
    for id in written:
        _save_preview(by_id[messages[id].conversation_id], messages[id])


def _save_preview(conversation: Conversation, answer: Message) -> None:
    if answer.seq == conversation.tip_seq:
        conversation.preview = tree.preview_of(answer.content) or conversation.preview
    elif answer.is_active and answer.deleted_at is None:
        tree.refresh_counters(conversation)
    tree.save_derived(conversation)


def _draft(question_id: uuid.UUID, model: str) -> MessageDraft:
    return {
        "role": Role.ASSISTANT,
        "content": "",
        "model": model,
        "status": Status.IN_PROGRESS,
        "metadata": {"answers": str(question_id)},
    }


def _question_of(conversation: Conversation, answer: Message) -> Message | None:
    """Return the live message that the message answers: the one that its reply or its metadata names, or its nearest
    ancestor."""
    if answer.role != Role.ASSISTANT:
        return None
    live = conversation.messages.live()
    named = as_uuid(live.with_question().values_list("question_id", flat=True).get(id=answer.id) or "")
    question: Message | None = live.filter(id=named, seq__lt=answer.seq).first() if named else None
    if question is None and (path := tree.Tree.of(conversation).live_ancestor(answer.seq)):
        question = live.filter(seq=path).first()
    return question
