import uuid
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Stored(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    external_id: str | None
    model: str
    meta: dict[str, Any] = Field(serialization_alias="metadata")
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


class ConversationOut(Stored):
    source: str
    title: str
    title_is_auto: bool
    notebooks: list[str]
    tags: list[str]
    is_pinned: bool
    is_archived: bool
    archived_at: datetime | None
    message_count: int
    preview: str
    prompt_tokens: int
    completion_tokens: int
    active_at: datetime


class MessageIn(BaseModel):
    role: str
    content: str = Field(min_length=1)


class MessageOut(Stored):
    conversation_id: uuid.UUID
    seq: int
    parent_seq: int | None
    is_active: bool
    role: str
    item_type: str
    content: str | None
    parts: Any
    reasoning: str
    name: str
    tool_calls: Any
    tool_call_id: str
    status: str
    finish_reason: str
    error: str
    prompt_tokens: int | None
    completion_tokens: int | None
    usage: Any
    reactions: list[str]
