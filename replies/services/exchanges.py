"""Waits for an answer, and reads it with its question."""

from contextlib import suppress
from typing import NamedTuple

from django.conf import settings
from django.utils.translation import gettext

from accounts.models import User
from chatstore.database import release_connection
from chatstore.errors import NotFound, ProviderError
from chatstore.serving.threads import waiting
from conversations.models import Conversation, Message, Status
from replies import following

from .ask import Asked

PATIENCE = 60  # seconds beyond the time limit of a reply: in the queue, and until it is closed


class Exchange(NamedTuple):
    conversation: Conversation
    question: Message
    answer: Message


def wait(asked: Asked) -> None:
    """Wait until the answer is complete, without a database connection. Another thread answers requests meanwhile."""
    release_connection()
    with waiting(), suppress(TimeoutError):
        following.wait(asked.answer_id, settings.REPLY_TIMEOUT + PATIENCE)


def read(*, user: User, asked: Asked) -> Exchange:
    """Return the question and the answer. Raises ProviderError if the model failed, or if the answer is still in
    progress; NotFound if the conversation or one of the messages was deleted in the meantime."""
    conversation = Conversation.objects.owned_by(user).live().filter(id=asked.conversation_id).first()
    if conversation is None:
        raise NotFound("conversation")
    found = {message.id: message for message in conversation.messages.live().filter(id__in=asked[1:3])}
    if len(found) < 2:
        raise NotFound("message")
    answer = found[asked.answer_id]
    if problem := _problem(answer):
        raise ProviderError(gettext("{problem} Your message is kept.").format(problem=problem))
    return Exchange(conversation, found[asked.question_id], answer)


def _problem(answer: Message) -> str:
    if answer.status == Status.IN_PROGRESS:
        return gettext("The model '{name}' has not finished its reply.").format(name=answer.model)
    return answer.error if answer.status == Status.FAILED else ""
