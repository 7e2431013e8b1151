"""Two contracts ask at one route, each in its own spelling. Either is taken, and answered with the fields of both."""

from typing import Annotated, Any

from chatstore.api.views import time
from conversations.compat.contract import NotBlank, Shape, Short, Text, name_of, shortened
from conversations.models import Conversation, Message
from conversations.services.replies import Exchange

SOURCE = "chat"
TITLE_LENGTH = 50


class ChatQuestion(Shape):
    message: Annotated[Text, NotBlank]
    model: Short | None = None
    # "" is none, as it is to the clients' own servers.
    conversationId: Short | None = None
    conversation_id: Short | None = None
    message_id: Short | None = None

    @property
    def conversation(self) -> str | None:
        return self.conversationId or self.conversation_id or None


class UserMessage(Shape):
    id: str
    content: str
    role: str
    timestamp: str
    conversationId: str


class AIMessage(UserMessage):
    model: str


class ChatAnswer(Shape):
    userMessage: UserMessage
    aiMessage: AIMessage
    response: str
    conversation_id: str
    message_id: str


class ChatSummary(Shape):
    id: str
    title: str
    lastMessage: str
    timestamp: str
    messageCount: int


class ChatHistory(Shape):
    success: bool
    chats: list[ChatSummary]


def answer(exchange: Exchange) -> dict[str, Any]:
    conversation, asked, answered = exchange
    return {
        "userMessage": _message(asked, conversation),
        "aiMessage": {**_message(answered, conversation), "model": answered.model},
        "response": answered.content,
        "conversation_id": name_of(conversation),
        "message_id": name_of(answered),
    }


def _message(row: Message, conversation: Conversation) -> dict[str, Any]:
    return {
        "id": name_of(row),
        "content": row.content,
        "role": row.role,
        "timestamp": time(row.created_at),
        "conversationId": name_of(conversation),
    }


def summary(row: Conversation) -> dict[str, Any]:
    return {
        "id": name_of(row),
        "title": shortened(row.title, TITLE_LENGTH) if row.title_is_auto else row.title,
        "lastMessage": row.preview,
        "timestamp": time(row.active_at),
        "messageCount": row.message_count,
    }
