"""The tables and columns of chatstore that the reference reads and writes."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, DateTime, ForeignKey, LargeBinary, String, Text, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, column_property, mapped_column, relationship
from uuid_utils.compat import uuid7


class Base(DeclarativeBase):
    type_annotation_map = {datetime: DateTime(timezone=True), dict[str, Any]: JSONB, list[str]: ARRAY(String)}


class User(Base):
    __tablename__ = "account"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    email: Mapped[str | None]
    name: Mapped[str]
    is_active: Mapped[bool]


class Token(Base):
    __tablename__ = "api_token"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(User.id))
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    expires_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)


class Conversation(Base):
    __tablename__ = "conversation"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(User.id))
    external_id: Mapped[str | None]
    source: Mapped[str]
    title: Mapped[str]
    title_is_auto: Mapped[bool]
    model: Mapped[str]
    notebooks: Mapped[list[str]]
    tags: Mapped[list[str]]
    meta: Mapped[dict[str, Any]] = mapped_column("metadata")
    is_pinned: Mapped[bool]
    archived_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    last_seq: Mapped[int]
    tip_seq: Mapped[int | None]
    message_count: Mapped[int]
    preview: Mapped[str]
    prompt_tokens: Mapped[int] = mapped_column(BigInteger)
    completion_tokens: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    active_at: Mapped[datetime]

    @property
    def is_archived(self) -> bool:
        return self.archived_at is not None


class Reaction(Base):
    __tablename__ = "reaction"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    message_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("message.id"))
    type: Mapped[str]


class Message(Base):
    __tablename__ = "message"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    conversation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Conversation.id))
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(User.id))
    external_id: Mapped[str | None]
    seq: Mapped[int]
    parent_seq: Mapped[int | None]
    is_active: Mapped[bool] = mapped_column(default=True)
    role: Mapped[str]
    item_type: Mapped[str] = mapped_column(default="message")
    content: Mapped[str | None] = mapped_column(Text)
    parts: Mapped[Any] = mapped_column(JSONB(none_as_null=True))
    reasoning: Mapped[str] = mapped_column(default="")
    name: Mapped[str] = mapped_column(default="")
    model: Mapped[str] = mapped_column(default="")
    tool_calls: Mapped[Any] = mapped_column(JSONB(none_as_null=True))
    tool_call_id: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default="completed")
    finish_reason: Mapped[str] = mapped_column(default="")
    error: Mapped[str] = mapped_column(default="")
    prompt_tokens: Mapped[int | None]
    completion_tokens: Mapped[int | None]
    usage: Mapped[Any] = mapped_column(JSONB(none_as_null=True))
    meta: Mapped[dict[str, Any]] = mapped_column("metadata", default=dict)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]

    # A subquery, so that the reactions need no second statement.
    reactions: Mapped[list[str]] = column_property(
        func.array(
            select(Reaction.type).where(Reaction.message_id == id).order_by(Reaction.id).scalar_subquery(),
            type_=ARRAY(String),
        )
    )
