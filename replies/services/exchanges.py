"""Exchanges: a question of a user and the answer of a model, stored in a conversation.

Hazards: the provider is slow, fails or answers junk; the process dies while it waits; a client sends a question twice.

The question is committed before the provider is called, so no failure loses it. No row is locked and no connection is
held during the call. The answer is stored in a second transaction, with the id of its question. A question that is
sent again to its conversation with the same external_id is stored once; if it has an answer, this answer is returned.
"""

import uuid
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext

from accounts.models import Preferences, User
from chatstore.database import release_connection
from chatstore.errors import Conflict, Invalid, NotFound, ProviderError
from conversations.drafts import MessageDraft
from conversations.models import Conversation, Message
from conversations.services import answers, conversations, messages
from replies import providers
from replies.providers import Provider
from replies.providers.blocking import Answer, blocking

CONTEXT_LENGTH = 10  # messages that the model gets, including the question
CONTEXT_ROLES = ("system", "developer", "user", "assistant")


class Exchange(NamedTuple):
    conversation: Conversation
    question: Message
    answer: Message


def exchange(
    *, user: User, text: str, message_id: str | None, name: str | None, model: str, source: str, create_missing: bool
) -> Exchange:
    """Store a question, get its answer from a model unless one is stored, and return both with their conversation.

    `name` is the external_id or the id of a conversation; without it, a new conversation is created. `message_id` is
    the external_id of the question. If no conversation has this `name` and `create_missing` is true, a
    conversation with this external_id is created.

    Raises Invalid if the model is not configured; NotFound if the conversation does not exist, or if the question is
    deleted before its answer is stored; Conflict if a different message with this message_id is stored;
    ProviderError if the provider fails. Do not call this function in a transaction: the question must be committed
    before the provider is called.
    """
    provider = choose_provider(user=user, model=model)
    question, _ = store_question(
        user=user, text=text, message_id=message_id, name=name, source=source, create_missing=create_missing
    )
    return answer_question(user=user, question_id=question.id, provider=provider)


def choose_provider(*, user: User, model: str) -> Provider:
    """Return the provider of this model, or of the user's default model if `model` is empty.

    If the user has no default model, or if that model is not configured, return the default provider. Raises Invalid if
    `model` is not configured.
    """
    if model:
        if (provider := providers.find(model)) is None:
            message = gettext("The model {model!r} is not configured. Configured models: {names}.")
            raise Invalid(message.format(model=model, names=", ".join(providers.names())), field="model")
        return provider
    preferred = Preferences.objects.filter(user=user).values_list("default_model", flat=True).first()
    return (providers.find(preferred) if preferred else None) or providers.default()


@transaction.atomic
def store_question(
    *, user: User, text: str, message_id: str | None, name: str | None, source: str, create_missing: bool
) -> tuple[Message, bool]:
    """Store a question. Return it, and whether it is new.

    The arguments have the same meaning as in `exchange`. Raises NotFound and Conflict.
    """
    draft: MessageDraft = {"role": "user", "content": text, "external_id": message_id}
    conversation = _find_conversation(user, name)
    if conversation is None and (create_missing or not name):
        if question := _create_with_question(user, {"external_id": name, "source": source}, draft):
            return question, True
        conversation = _find_conversation(user, name)
    if conversation is None:
        raise NotFound("conversation")
    (question,), is_new = messages.append(user=user, conversation_id=conversation.id, drafts=[draft])
    return question, is_new


def _find_conversation(user: User, name: str | None) -> Conversation | None:
    return Conversation.objects.owned_by(user).live().named(name).first() if name else None


def _create_with_question(user: User, fields: dict[str, Any], question: MessageDraft) -> Message | None:
    """Create a conversation with its first question, and return the question.

    Return None if another request has created the conversation in the meantime.
    """
    try:
        conversation, is_new = conversations.create(user=user, fields=fields, drafts=[question])
    except Conflict:
        return None
    return conversation.messages.get() if is_new else None


def answer_question(*, user: User, question_id: uuid.UUID, provider: Provider) -> Exchange:
    """Return the question with its stored answer. If there is none, get one from the provider and store it.

    Raises NotFound if the question or its conversation is not live, and ProviderError if the provider fails.
    """
    owned = Message.objects.owned_by(user).in_live_conversations().filter(id=question_id)
    question = owned.select_related("conversation").first()
    if question is None:
        raise NotFound("message")
    answer = Message.objects.answer_to(question) or _ask_and_store(user, question, provider)
    return Exchange(question.conversation, question, answer)


def _ask_and_store(user: User, question: Message, provider: Provider) -> Message:
    context = _context(user, question)
    release_connection()
    answer = _complete(provider, context)
    draft: Any = {"role": "assistant", "content": answer.text, "model": provider.name, **_fields_without_text(answer)}
    return answers.store(user=user, question_id=question.id, draft=draft)


def _complete(provider: Provider, context: list[dict[str, str]]) -> Answer:
    try:
        return blocking(provider).complete(context)
    except ProviderError as error:
        message = gettext("{problem} Your message is kept.").format(problem=error.message)
        raise ProviderError(message, code=error.code) from None


def _context(user: User, question: Message) -> list[dict[str, str]]:
    """Return the last CONTEXT_LENGTH texts on the path to the question, in order."""
    path = Message.objects.owned_by(user).path_to(question)
    return list(path.texts(*CONTEXT_ROLES).reverse().values("role", "content")[:CONTEXT_LENGTH])[::-1]


def _fields_without_text(answer: Answer) -> dict[str, Any]:
    return {name: value for name, value in answer._asdict().items() if name != "text"}
