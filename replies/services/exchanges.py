"""Waits for an answer, and reads it with its question."""

import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import NamedTuple

from django.conf import settings
from django.utils.translation import gettext

from accounts.models import User
from chatstore.database import release_connection
from chatstore.errors import NotFound, ProviderError, RateLimited
from chatstore.serving.threads import waiting
from conversations.models import Conversation, Message, Status
from replies import following

from . import limits
from .ask import Asked

PATIENCE = 60  # seconds beyond the time limit of a reply: in the queue, and until it is closed
WAITING_PER_USER = 20  # requests of a user that wait in this process; they can wait for one reply

_waiting: Counter[uuid.UUID] = Counter()
_lock = Lock()


class Exchange(NamedTuple):
    conversation: Conversation
    question: Message
    answer: Message


def wait(*, user: User, asked: Asked) -> None:
    """Wait until the answer is complete, without a database connection. Another thread answers requests meanwhile.

    Raises RateLimited if WAITING_PER_USER requests of the user wait in this process: there is a limit of such threads.
    """
    release_connection()
    with _place(user), waiting(), suppress(TimeoutError):
        following.wait(asked.answer_id, settings.REPLY_TIMEOUT + PATIENCE)


@contextmanager
def _place(user: User) -> Iterator[None]:
    with _lock:
        if _waiting[user.pk] >= WAITING_PER_USER:
            limit = gettext("{count} requests that wait for an answer").format(count=WAITING_PER_USER)
            raise RateLimited(limit, wait=limits.WAIT)
        _waiting[user.pk] += 1
    try:
        yield
    finally:
        with _lock:
            _waiting[user.pk] -= 1
            if not _waiting[user.pk]:
                del _waiting[user.pk]


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
