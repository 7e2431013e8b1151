from math import ceil
from typing import Any

from fastapi import HTTPException
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from .models import Chat, Message
from .schemas import MessageIn


def list_chats(db: Session, page: int, size: int) -> dict[str, Any]:
    return _paged(db, select(Chat), Chat.created_at.desc(), page, size)


def list_messages(db: Session, chat_id: int, page: int, size: int) -> dict[str, Any]:
    _check_exists(db, chat_id)
    return _paged(db, select(Message).where(Message.chat_id == chat_id), Message.created_at, page, size)


def create_message(db: Session, sent: MessageIn) -> Message:
    _check_exists(db, sent.chat_id)
    message = Message(**sent.model_dump())
    db.add(message)
    db.commit()
    db.refresh(message)
    return message


def _paged(db: Session, rows: Select[Any], order: Any, page: int, size: int) -> dict[str, Any]:
    total = db.scalar(select(func.count()).select_from(rows.subquery())) or 0
    items = db.scalars(rows.order_by(order).offset((page - 1) * size).limit(size)).all()
    return {"items": items, "total": total, "page": page, "page_size": size, "total_pages": ceil(total / size)}


def _check_exists(db: Session, chat_id: int) -> None:
    if db.get(Chat, chat_id) is None:
        raise HTTPException(404, f"Chat with id {chat_id} not found")
