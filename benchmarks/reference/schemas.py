import uuid
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from .models import Role


class ChatOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    name: str
    notebooks: list[str]
    preview: str
    created_at: datetime
    updated_at: datetime


class MessageIn(BaseModel):
    chat_id: uuid.UUID
    role: Role
    content: str = Field(min_length=1)


class MessageOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    chat_id: uuid.UUID
    role: Role
    content: str
    created_at: datetime
    updated_at: datetime
