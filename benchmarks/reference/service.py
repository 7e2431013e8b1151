import uuid
from collections.abc import Sequence

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from .models import Conversation, Message, User
from .schemas import MessageIn


def _owned(user: User) -> Select[tuple[Conversation]]:
    return select(Conversation).where(Conversation.user_id == user.id, Conversation.deleted_at.is_(None))


async def list_conversations(session: AsyncSession, user: User, page: int, size: int) -> Sequence[Conversation]:
    recent = _owned(user).where(Conversation.archived_at.is_(None))
    recent = recent.order_by(Conversation.active_at.desc(), Conversation.id.desc())
    return (await session.scalars(recent.limit(size).offset((page - 1) * size))).all()


async def list_messages(
    session: AsyncSession, user: User, id: uuid.UUID, page: int, size: int
) -> Sequence[Message] | None:
    if await session.scalar(_owned(user).where(Conversation.id == id)) is None:
        return None
    shown = select(Message).where(
        Message.conversation_id == id, Message.is_active.is_(True), Message.deleted_at.is_(None)
    )
    return (await session.scalars(shown.order_by(Message.seq).limit(size).offset((page - 1) * size))).all()


async def create_message(session: AsyncSession, user: User, id: uuid.UUID, sent: MessageIn) -> Message | None:
    now = func.greatest(Conversation.active_at, func.clock_timestamp())
    owned = _owned(user).add_columns(now).where(Conversation.id == id).with_for_update(key_share=True)
    found = (await session.execute(owned)).one_or_none()
    if found is None:
        return None
    conversation, at = found
    message = Message(
        conversation_id=id,
        user_id=user.id,
        seq=conversation.last_seq + 1,
        parent_seq=conversation.tip_seq,
        created_at=at,
        updated_at=at,
        **sent.model_dump(),
    )
    session.add(message)
    conversation.last_seq = conversation.tip_seq = message.seq
    conversation.message_count += 1
    conversation.preview = sent.content[:200]
    conversation.updated_at = conversation.active_at = at
    message.reactions = []
    await session.commit()
    return message
