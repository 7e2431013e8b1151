"""Titles that a model writes. The first line of the question is the title until then.

A title is a reply without a message. Its request names the conversation in `title_of`. If it fails, the conversation
keeps its first title. It does not keep its user from asking, but its tokens count for the limit of a day.
"""

import uuid
from contextlib import suppress

from django.conf import settings
from django.utils.translation import get_language

from chatstore.database import database_time
from chatstore.errors import NotFound
from conversations.models import Message
from conversations.services import conversations
from replies import providers
from replies.events import QUEUED, notify
from replies.models import Reply

from . import limits

QUESTION_LENGTH = 2_000  # characters of the question that the model gets
MAX_TOKENS = 200  # a model that thinks before it answers needs more than a title has
QUOTES = " \"'“”„«»"  # models like to add them
INSTRUCTIONS = "Write a title for a conversation that begins with this message: at most six words, in its language, \
without quotation marks or a period. Answer with the title only."


def request_title(question: Message) -> None:
    """Request a title for the conversation of its first question, if TITLE_MODEL is set and nobody has named it.

    Requests none if too many replies or titles are under way."""
    text = question.content
    if not (settings.TITLE_MODEL and text and question.parent_seq is None and question.conversation.title_is_auto):
        return
    provider = providers.find(settings.TITLE_MODEL)
    if provider is None or not limits.allow_title(question.user):
        return
    request = {
        "model": provider.name,
        "options": {"max_tokens": MAX_TOKENS},
        "messages": [
            {"role": "system", "content": INSTRUCTIONS},
            {"role": "user", "content": text[:QUESTION_LENGTH]},
        ],
        "title_of": str(question.conversation_id),
        "language": get_language(),
    }
    Reply.objects.create(user_id=question.user_id, request=request, created_at=database_time())
    notify(QUEUED)


def is_title(reply: Reply) -> bool:
    return "title_of" in reply.request


def store_title(reply: Reply, text: str) -> None:
    """Store the first line of a completed title, unless a person has named the conversation or it was deleted.

    One transaction, under the conversation's lock."""
    title = next(iter(text.strip().splitlines()), "").strip(QUOTES)
    with suppress(NotFound):
        id = uuid.UUID(reply.request["title_of"])
        conversations.set_automatic_title(user=reply.user, conversation_id=id, title=title)
