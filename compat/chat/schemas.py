"""Bodies of the chat route, which the contracts B and E share.

A request uses the field names of either contract; a response has the fields of both."""

from typing import Annotated, Any

from chatstore.api.responses import format_time
from compat.contract import NotBlank, Schema, Short, Text, name_of, shortened
from conversations.models import Conversation, Message
from replies.services.exchanges import Exchange

SOURCE = "chat"
LISTED_TITLE_LENGTH = 50


class ChatQuestion(Schema):
    message: Annotated[Text, NotBlank]
    model: Short | None = None
    # An empty string counts as absent, as in the servers that these clients were written for.
    conversationId: Short | None = None
    conversation_id: Short | None = None
    message_id: Short | None = None

    @property
    def conversation(self) -> str | None:
        return self.conversationId or self.conversation_id or None


class UserMessage(Schema):
    id: str
    content: str
    role: str
    timestamp: str
    conversationId: str


class AIMessage(UserMessage):
    model: str


class ChatAnswer(Schema):
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


class ChatHistory(Schema):
    success: bool
    chats: list[ChatSummary]


def answer(exchange: Exchange) -> dict[str, Any]:
    conversation, question, reply = exchange
    return {
        "userMessage": _message(question, conversation),
        "aiMessage": {**_message(reply, conversation), "model": reply.model},
        "response": reply.content,
        "conversation_id": name_of(conversation),
        "message_id": name_of(reply),
    }


def _message(row: Message, conversation: Conversation) -> dict[str, Any]:
    return {
        "id": name_of(row),
        "content": row.content,
        "role": row.role,
        "timestamp": format_time(row.created_at),
        "conversationId": name_of(conversation),
    }


def summary(row: Conversation) -> dict[str, Any]:
    return {
        "id": name_of(row),
        "title": shortened(row.title, LISTED_TITLE_LENGTH) if row.title_is_auto else row.title,
        "lastMessage": row.preview,
        "timestamp": format_time(row.active_at),
        "messageCount": row.message_count,
    }
