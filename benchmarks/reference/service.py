import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from .models import Chat, Message, User
from .schemas import MessageIn


def _paged(query: Select[Any], page: int, size: int) -> Select[Any]:
    return query.limit(size).offset((page - 1) * size)


async def list_chats(session: AsyncSession, user: User, page: int, size: int) -> Sequence[Row[Any]]:
    preview = (
        select(func.left(Message.content, 200))
        .where(Message.chat_id == Chat.id)
        .order_by(Message.created_at.desc(), Message.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    columns = (Chat.id, Chat.name, Chat.notebooks, func.coalesce(preview, "").label("preview"))
    query = select(*columns, Chat.created_at, Chat.updated_at).where(Chat.user_id == user.id)
    recent = query.order_by(Chat.updated_at.desc(), Chat.id.desc())
    return (await session.execute(_paged(recent, page, size))).all()


async def owned_chat(session: AsyncSession, user: User, chat_id: uuid.UUID) -> Chat | None:
    return await session.scalar(select(Chat).where(Chat.id == chat_id, Chat.user_id == user.id))


async def list_messages(session: AsyncSession, chat: Chat, page: int, size: int) -> Sequence[Message]:
    query = select(Message).where(Message.chat_id == chat.id).order_by(Message.created_at, Message.id)
    return (await session.scalars(_paged(query, page, size))).all()


async def create_message(session: AsyncSession, chat: Chat, sent: MessageIn) -> Message:
    message = Message(**sent.model_dump())
    session.add(message)
    chat.updated_at = func.now()
    await session.commit()
    return message
