from datetime import datetime
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")


class ListOut(BaseModel, Generic[T]):
    items: list[T]
    total: int
    page: int
    page_size: int
    total_pages: int


class Stored(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    created_at: datetime
    updated_at: datetime


class ChatOut(Stored):
    name: str | None
    notebooks: list[str]


class MessageIn(BaseModel):
    chat_id: int
    role: Literal["user", "ai", "system"]
    content: str = Field(min_length=1)


class MessageOut(Stored):
    chat_id: int
    role: str
    content: str
