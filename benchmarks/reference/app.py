import hashlib
import uuid
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from . import service
from .database import session
from .models import Chat, Message, Token, User
from .schemas import ChatOut, MessageIn, MessageOut

app = FastAPI(title="Chat History Backend API")

Session = Annotated[AsyncSession, Depends(session)]
Bearer = Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]
Page = Annotated[int, Query(ge=1)]
PageSize = Annotated[int, Query(ge=1, le=1000)]


async def current_user(db: Session, bearer: Bearer) -> User:
    digest = hashlib.sha256(bearer.credentials.encode()).digest()
    user = await db.scalar(select(User).join(Token, Token.user_id == User.id).where(Token.digest == digest))
    if user is None:
        raise HTTPException(401, "Invalid token")
    return user


CurrentUser = Annotated[User, Depends(current_user)]


async def chat_of(db: Session, user: User, chat_id: uuid.UUID) -> Chat:
    chat = await service.owned_chat(db, user, chat_id)
    if chat is None:
        raise HTTPException(404, "Chat not found")
    return chat


@app.get("/api/chats/", response_model=list[ChatOut])
async def list_chats(db: Session, user: CurrentUser, page: Page = 1, page_size: PageSize = 20) -> Sequence[Any]:
    return await service.list_chats(db, user, page, page_size)


@app.get("/api/messages/chat/{chat_id}", response_model=list[MessageOut])
async def list_messages(
    db: Session, user: CurrentUser, chat_id: uuid.UUID, page: Page = 1, page_size: PageSize = 100
) -> Sequence[Message]:
    return await service.list_messages(db, await chat_of(db, user, chat_id), page, page_size)


@app.post("/api/messages/", response_model=MessageOut, status_code=201)
async def create_message(db: Session, user: CurrentUser, sent: MessageIn) -> Message:
    return await service.create_message(db, await chat_of(db, user, sent.chat_id), sent)
