"""A question, and a model's answer to it.

What can go wrong: the provider is slow, fails or answers junk; the process dies while it waits; a client asks twice.
The principle: the question is stored and committed before anybody is asked, so that nothing loses it; while the
provider talks, no row is locked and no connection is held; the answer is a transaction of its own, and says which
question it answers. A question that comes again to its conversation under its client's id is stored once, and where it
has an answer, that is given again.
"""

import uuid
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext

from accounts.models import Preferences, User
from chatstore.database import release_connection
from chatstore.errors import Conflict, Invalid, NotFound
from conversations.models import Conversation, Message
from conversations.services import answers, conversations, messages
from replies import providers
from replies.providers import Provider

CONTEXT = 10  # messages that the model sees, the question among them
HEARD = ("system", "developer", "user", "assistant")


class Exchange(NamedTuple):
    conversation: Conversation
    question: Message
    answer: Message


def exchange(
    *, user: User, text: str, message_id: str | None, name: str | None, model: str, source: str, makes: bool
) -> Exchange:
    """A question and its answer, in the conversation of this `name`, or in a new one without; `makes`: a name that is
    not there is made."""
    provider = provider_for(user=user, model=model)
    question, _ = ask(user=user, text=text, message_id=message_id, name=name, source=source, makes=makes)
    return answer(user=user, question_id=question.id, provider=provider)


def provider_for(*, user: User, model: str) -> Provider:
    """The model that was asked for, else the one that the user prefers, where it is still there."""
    if model:
        if (found := providers.find(model)) is None:
            message = gettext("There is no model {model!r}; there are: {names}.")
            raise Invalid(message.format(model=model, names=", ".join(providers.names())), field="model")
        return found
    preferred = Preferences.objects.filter(user=user).values_list("default_model", flat=True).first()
    return (providers.find(preferred) if preferred else None) or providers.default()


@transaction.atomic
def ask(
    *, user: User, text: str, message_id: str | None, name: str | None, source: str, makes: bool
) -> tuple[Message, bool]:
    """The question, stored, and whether it is new."""
    draft = {"role": "user", "content": text, "external_id": message_id}
    conversation = _named(user, name)
    if conversation is None and (makes or not name):
        if question := _create_with_question(user, {"external_id": name, "source": source}, draft):
            return question, True
        conversation = _named(user, name)
    if conversation is None:
        raise NotFound("conversation")
    (question,), is_new = messages.append(user=user, conversation_id=conversation.id, drafts=[draft])
    return question, is_new


def _named(user: User, name: str | None) -> Conversation | None:
    return Conversation.objects.owned_by(user).live().named(name).first() if name else None


def _create_with_question(user: User, fields: dict[str, Any], question: dict[str, Any]) -> Message | None:
    """The question of a new conversation; None where another request makes that at this moment."""
    try:
        conversation, is_new = conversations.create(user=user, fields=fields, drafts=[question])
    except Conflict:
        return None
    return conversation.messages.get() if is_new else None


def answer(*, user: User, question_id: uuid.UUID, provider: Provider) -> Exchange:
    """The answer that is there, or a new one."""
    owned = Message.objects.owned_by(user).in_live_conversations().filter(id=question_id)
    question = owned.select_related("conversation").first()
    if question is None:
        raise NotFound("message")
    said = Message.objects.answer_to(question) or _ask_provider(user, question, provider)
    return Exchange(question.conversation, question, said)


def _ask_provider(user: User, question: Message, provider: Provider) -> Message:
    context = _context(user, question)
    release_connection()
    answered = provider.complete(context)
    draft = {"role": "assistant", "content": answered.text, "model": provider.name, **_costs(answered)}
    return answers.store(user=user, question_id=question.id, draft=draft)


def _context(user: User, question: Message) -> list[dict[str, str]]:
    """Return the newest messages up to the question, oldest first."""
    path = Message.objects.owned_by(user).path_to(question)
    return list(path.texts(*HEARD).reverse().values("role", "content")[:CONTEXT])[::-1]


def _costs(answer: providers.Answer) -> dict[str, Any]:
    return {name: value for name, value in answer._asdict().items() if name != "text"}
