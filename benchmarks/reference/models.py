"""Tables of their own, in a schema of their own, with the indexes their queries need and no more."""

import enum
import uuid
from datetime import datetime

from sqlalchemy import ARRAY, DateTime, Enum, ForeignKey, Index, LargeBinary, MetaData, String, Text, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from uuid_utils.compat import uuid7


class Base(DeclarativeBase):
    metadata = MetaData(schema="reference")
    type_annotation_map = {datetime: DateTime(timezone=True)}


class Times:
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class Role(enum.StrEnum):
    USER = "user"
    AI = "ai"
    SYSTEM = "system"


class User(Base):
    __tablename__ = "users"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    email: Mapped[str] = mapped_column(String(254), unique=True)


class Token(Base):
    __tablename__ = "tokens"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))


class Chat(Times, Base):
    __tablename__ = "chats"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(500))
    notebooks: Mapped[list[str]] = mapped_column(ARRAY(String(100)), server_default="{}")

    __table_args__ = (Index("chats_recent", "user_id", "updated_at", "id"),)


class Message(Times, Base):
    __tablename__ = "messages"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    chat_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Chat.id, ondelete="CASCADE"))
    role: Mapped[Role] = mapped_column(
        Enum(Role, native_enum=False, length=16, values_callable=lambda roles: [role.value for role in roles])
    )
    content: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index("messages_in_order", "chat_id", "created_at", "id"),)
