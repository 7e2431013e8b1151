"""Bodies of the chat route, which the contracts A, B and E share.

A request of A has `messages`, the whole history; its response is a stream (events.py). A request of B or E has
`message`, in the field names of either contract; a response to it has the fields of both."""

from typing import Annotated, Any, Literal

from django.utils.translation import gettext
from pydantic import Field, RootModel, model_validator

from accounts.models import User
from chatstore.api.responses import format_time
from compat import rows
from compat.contract import History, NotBlank, Schema, Short, Text, name_of, refusal
from conversations.models import Conversation, Message
from conversations.sql import iso_time
from replies.services.exchanges import Exchange

SOURCE = "chat"
LISTED_TITLE_LENGTH = 50


class ChatQuestion(Schema):
    message: Annotated[Text, NotBlank]
    model: Short | None = None
    # An empty string counts as absent, as in the servers that these clients were written for.
    chatId: Short | None = None
    conversationId: Short | None = None
    conversation_id: Short | None = None
    message_id: Short | None = None

    @property
    def conversation(self) -> str | None:
        return self.chatId or self.conversationId or self.conversation_id or None


class StreamMessage(Schema):
    role: Literal["user", "assistant", "system"]
    content: Text


class StreamQuestion(Schema):
    messages: Annotated[
        list[StreamMessage],
        History,
        Field(
            json_schema_extra={"minItems": 1},
            description="One has a text; an empty one of the assistant does not count.",
        ),
    ]
    model: Short | None = None

    @model_validator(mode="before")
    @classmethod
    def _has_messages(cls, data: Any) -> Any:
        if not isinstance(data, dict) or not isinstance(data.get("messages"), list):
            raise refusal("list_type", gettext("Messages are required and must be an array"))
        return data

    @model_validator(mode="after")
    def _has_text(self) -> "StreamQuestion":
        if not self.texts:
            raise refusal("too_short", gettext("There is no message with a text."))
        return self

    @property
    def texts(self) -> list[dict[str, str]]:
        """Return the messages for the model. The client sends an empty message for each reply that it has not got: for
        the next one, and for each one that was aborted. Providers refuse empty messages."""
        return [message.model_dump() for message in self.messages if message.content]


class ChatBody(RootModel[ChatQuestion | StreamQuestion]):
    """A message, or a history with a message at its end."""


class ExchangeUser(Schema):
    name: str
    email: str | None
    image: str | None


class UserMessage(Schema):
    id: str
    content: str
    role: str
    timestamp: str
    conversationId: str


class AIMessage(UserMessage):
    model: str


class ExchangeMessage(Schema):
    id: str
    chatId: str
    sender: Literal["user", "assistant"]
    content: str
    timestamp: str
    user: ExchangeUser
    model: str | None = None


class ChatAnswer(Schema):
    success: bool
    chatId: str
    messages: list[ExchangeMessage]
    user: ExchangeUser
    modelUsed: str
    userMessage: UserMessage
    aiMessage: AIMessage
    response: str
    conversation_id: str
    message_id: str


class ChatSummary(Schema):
    id: str
    title: str
    lastMessage: str
    timestamp: str
    messageCount: int
    userEmail: str | None


class ChatHistory(Schema):
    success: bool
    chats: list[ChatSummary]
    user: ExchangeUser


SUMMARY = rows.Shape(
    {
        "id": rows.CONVERSATION_NAME,
        "title": rows.listed_title(LISTED_TITLE_LENGTH),
        "lastMessage": "c.preview",
        "timestamp": iso_time("c.active_at"),
        "messageCount": "c.message_count",
        "userEmail": "(SELECT email FROM account WHERE id = %(user)s)",
    }
)
SUMMARIES = rows.conversations(SUMMARY, rows.BY_ACTIVITY)


def is_history(data: Any) -> bool:
    """Return whether the body is a request of contract A."""
    return isinstance(data, dict) and "messages" in data and "message" not in data


def person(user: User) -> dict[str, Any]:
    """Return a user for contract B. Its client shows the initials of the name if there is no image."""
    return {"name": user.name or str(user), "email": user.email, "image": user.image or None}


def answer(exchange: Exchange, user: User) -> dict[str, Any]:
    conversation, question, reply = exchange
    model = {"name": reply.model, "email": None, "image": None}
    return {
        "success": True,
        "chatId": name_of(conversation),
        "messages": [
            _exchange_message(question, conversation) | {"user": person(user)},
            _exchange_message(reply, conversation) | {"user": model, "model": reply.model},
        ],
        "user": person(user),
        "modelUsed": reply.model,
        "userMessage": _message(question, conversation),
        "aiMessage": {**_message(reply, conversation), "model": reply.model},
        "response": reply.content,
        "conversation_id": name_of(conversation),
        "message_id": name_of(reply),
    }


def _exchange_message(row: Message, conversation: Conversation) -> dict[str, Any]:
    return {
        "id": name_of(row),
        "chatId": name_of(conversation),
        "sender": row.role,
        "content": row.content,
        "timestamp": format_time(row.created_at),
    }


def _message(row: Message, conversation: Conversation) -> dict[str, Any]:
    return {
        "id": name_of(row),
        "content": row.content,
        "role": row.role,
        "timestamp": format_time(row.created_at),
        "conversationId": name_of(conversation),
    }
