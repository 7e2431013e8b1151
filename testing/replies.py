"""Asks for replies without the API: stores what the service `ask` stores."""

from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.models import User
from chatstore.ids import new_id
from conversations.models import Message
from conversations.services import messages
from replies.events import QUEUED, STOP
from replies.models import Event, Reply, State

from .cast import create_conversation, message_draft


def ask(question: str, *, user: User | None = None, model: str = "scripted", **request: Any) -> Reply:
    """Store a question in a new conversation, and put its reply into the queue."""
    user = user or User.objects.create(email=f"{new_id()}@example.com")
    conversation = create_conversation(user, question)
    asked = conversation.messages.get()
    draft = message_draft("", "assistant", status="in_progress", model=model, metadata={"answers": str(asked.id)})
    (message,), _ = messages.append(user=user, conversation_id=conversation.id, drafts=[draft])
    reply = Reply.objects.create(
        id=message.id,
        message=message,
        user=user,
        request={
            "model": model,
            "options": {},
            "question": str(asked.id),
            "context": {"messages": 10, "tokens": 10_000},
            **request,
        },
        created_at=timezone.now(),
    )
    announce(QUEUED)
    return reply


def announce(channel: str, payload: str = "") -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [channel, payload])


def log_of(reply: Reply) -> list[tuple[int, str, str]]:
    return list(Event.objects.filter(reply_id=reply.id).order_by("n").values_list("n", "event", "data"))


def message_of(reply: Reply) -> Message:
    return Message.objects.get(id=reply.id)


def has_ended(reply: Reply) -> bool:
    return Reply.objects.get(id=reply.id).state not in (State.QUEUED, State.RUNNING)


def stop(reply: Reply) -> None:
    """Ask for the end of a reply that a process generates."""
    Reply.objects.filter(id=reply.id).update(stop_asked=True)
    announce(STOP, str(reply.id))
