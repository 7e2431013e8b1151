"""Questions to models. Each function stores what is asked and requests a reply, which a generator then writes.

Hazards: a client sends a question twice, also at the same time; the process dies; a client asks more than it may.

One transaction stores the question, its answer (a message in progress, without text) and the reply, under the
conversation's lock. So no question waits for a reply that nobody generates, and of two equal questions the second finds
the answer of the first. No function waits for a model: `following` does.
"""

import uuid
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import get_language, gettext

from accounts.models import Preferences, User
from chatstore.database import database_time
from chatstore.errors import Conflict, Invalid, NotFound
from conversations.drafts import MessageDraft
from conversations.models import Conversation, Message, Role
from conversations.services import answers, branches, conversations, messages
from replies import providers
from replies.events import QUEUED, notify
from replies.models import UNDER_WAY, Reply

from . import limits, titles

OPTIONS = ("system_prompt", "temperature", "top_p", "max_tokens", "stop", "tools", "tool_choice", "response_format")


class Wishes(NamedTuple):
    """How a reply is to be generated. An option of None stands for the model's own default."""

    model: str = ""  # without one, the model of the conversation or the user's default model answers
    options: dict[str, Any] = {}


class Asked(NamedTuple):
    """A question and its answer. The answer can be complete already: then the question was asked before."""

    conversation_id: uuid.UUID
    question_id: uuid.UUID
    answer_id: uuid.UUID  # also the id of the reply
    is_new: bool  # the question is stored now


def check_model(name: str) -> None:
    """Raise Invalid if there is no model with this name. An empty name stands for the default model."""
    if name and providers.find(name) is None:
        message = gettext("The model {model!r} is not configured. Configured models: {names}.")
        raise Invalid(message.format(model=name, names=", ".join(providers.names())), field="model")


@transaction.atomic
def ask(
    *,
    user: User,
    draft: MessageDraft,
    name: str | None,
    fields: dict[str, Any],
    wishes: Wishes,
    create_missing: bool = False,
) -> Asked:
    """Store a question at the end of a conversation, and request its reply. Return both.

    `name` is the external_id or the id of the conversation. Without it, a new conversation with these fields is
    created. If no conversation has this name and `create_missing` is true, a conversation with this external_id is
    created. A question that the conversation has already, by its external_id, is not stored again.

    Raises Invalid if the model is not configured; NotFound if the conversation does not exist; Conflict if a different
    message has the external_id; RateLimited. Locks the conversation.
    """
    check_model(wishes.model)
    question, is_new = _store_question(user, draft, name, fields, create_missing)
    asked = answer(user=user, question_id=question.id, wishes=wishes)
    if is_new:
        titles.request_title(question)
    return asked._replace(is_new=is_new)


def _store_question(
    user: User, draft: MessageDraft, name: str | None, fields: dict[str, Any], create_missing: bool
) -> tuple[Message, bool]:
    conversation = _find_conversation(user, name)
    if conversation is None and (create_missing or not name):
        if question := _create_with_question(user, {**fields, "external_id": name}, draft):
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


@transaction.atomic
def answer(*, user: User, question_id: uuid.UUID, wishes: Wishes) -> Asked:
    """Return a stored question with its answer. If it has none, or if the answer has failed, request a reply.

    Raises NotFound if the user has no such live question, Invalid if the model is not configured, and RateLimited.
    Locks the conversation.
    """
    question = _read(user, question_id)
    chosen = _choose_model(user, question.conversation, wishes.model)
    message, is_new = answers.begin(user=user, question_id=question_id, model=chosen)
    asked = Asked(question.conversation_id, question_id, message.id, False)
    if is_new:
        _request(user, asked, chosen, question.conversation, wishes)
    return asked


@transaction.atomic
def answer_edited(
    *, user: User, conversation_id: uuid.UUID, message_id: uuid.UUID, changes: dict[str, Any], wishes: Wishes
) -> Asked:
    """Store an alternative of a question with these changes, and request its reply. The alternative is displayed.

    Raises NotFound, Invalid if the message is not one of the user, and RateLimited. Locks the conversation.
    """
    message = _read(user, message_id, conversation_id)
    if message.role != Role.USER:
        raise Invalid(gettext("Only a message of the user can be edited and answered."), field="message_id")
    question = branches.branch(user=user, message_id=message_id, changes=changes)
    return answer(user=user, question_id=question.id, wishes=wishes)._replace(is_new=True)


@transaction.atomic
def answer_again(*, user: User, conversation_id: uuid.UUID, message_id: uuid.UUID, wishes: Wishes) -> Asked:
    """Request another answer, as an alternative of this one, or the answer to a question that has none.

    The new answer is displayed. If the wishes name no model, the model of this answer writes it. Raises NotFound;
    Invalid if the message answers nothing; Conflict if its reply is under way; RateLimited. Locks the conversation.
    """
    message = _read(user, message_id, conversation_id)
    if message.role != Role.ASSISTANT:
        return answer(user=user, question_id=message_id, wishes=wishes)
    return _regenerate(user, message, wishes)


def _regenerate(user: User, old: Message, wishes: Wishes) -> Asked:
    # Not its status: a message in progress that a client has stored or imported has no reply, and never ends.
    if Reply.objects.filter(UNDER_WAY, id=old.id).exists():
        raise Conflict(gettext("This reply is under way. Stop it first."), field="message_id")
    chosen = _choose_model(user, old.conversation, wishes.model or providers.known(old.model))
    message, question_id = answers.begin_again(user=user, answer_id=old.id, model=chosen)
    asked = Asked(old.conversation_id, question_id, message.id, True)
    _request(user, asked, chosen, old.conversation, wishes)
    return asked


@transaction.atomic
def ask_with_history(*, user: User, history: list[dict[str, str]], model: str) -> uuid.UUID:
    """Request a reply to messages that are not stored, and return its id. The reply fills no message.

    Raises Invalid if the model is not configured, and RateLimited."""
    request = {"model": _choose_model(user, None, model), "options": {}, "messages": history}
    reply = _store_reply(user, request)
    return reply.id


def _read(user: User, message_id: uuid.UUID, conversation_id: uuid.UUID | None = None) -> Message:
    """Return the user's live message with its conversation. Raises NotFound."""
    owned = Message.objects.owned_by(user).in_live_conversations().filter(id=message_id)
    if conversation_id:
        owned = owned.filter(conversation=conversation_id)
    message: Message | None = owned.select_related("conversation").first()
    if message is None:
        raise NotFound("message")
    return message


def default_model(user: User) -> str:
    """Return the name of the model that answers if a request and its conversation name none."""
    preferred = Preferences.objects.filter(user=user).values_list("default_model", flat=True).first()
    return _provider_name(providers.known(preferred or ""))


def _choose_model(user: User, conversation: Conversation | None, model: str) -> str:
    """Return the name of the model that answers: the wished one, that of the conversation, or the default.

    Raises Invalid if the wished one is not configured. If that of the conversation is not, it is passed over."""
    check_model(model)
    candidates = [model, conversation.model if conversation else ""]
    if name := next(filter(None, map(providers.known, candidates)), ""):
        return _provider_name(name)
    return default_model(user)


def _provider_name(name: str) -> str:
    provider = (providers.find(name) if name else None) or providers.default()
    return provider.name


def _request(user: User, asked: Asked, model: str, conversation: Conversation, wishes: Wishes) -> None:
    options = {**conversation.model_options, **wishes.options}
    given = {name: options[name] for name in OPTIONS if options.get(name) is not None}
    request = {"model": model, "options": given, "question": str(asked.question_id)}
    _store_reply(user, request, id=asked.answer_id, message_id=asked.answer_id)


def _store_reply(user: User, request: dict[str, Any], **fields: Any) -> Reply:
    limits.check(user)
    request |= {"context": limits.context(), "language": get_language()}
    reply = Reply.objects.create(user=user, request=request, created_at=database_time(), **fields)
    notify(QUEUED)
    return reply
