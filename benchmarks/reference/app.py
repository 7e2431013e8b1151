import hashlib
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from . import service
from .database import session
from .models import Conversation, Message, Token, User
from .schemas import ConversationOut, MessageIn, MessageOut

app = FastAPI(title="Chat History Backend API")

Session = Annotated[AsyncSession, Depends(session)]
Bearer = Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]
Page = Annotated[int, Query(ge=1)]
PageSize = Annotated[int, Query(ge=1, le=1000)]
T = TypeVar("T")


async def current_user(db: Session, bearer: Bearer) -> User:
    digest = hashlib.sha256(bearer.credentials.encode()).digest()
    token = await db.scalar(select(Token).where(Token.digest == digest))
    if token is None or not token.user.is_active or (token.expires_at and token.expires_at <= datetime.now(UTC)):
        raise HTTPException(401, "Invalid token")
    return token.user


CurrentUser = Annotated[User, Depends(current_user)]


def get_or_404(stored: T | None) -> T:
    if stored is None:
        raise HTTPException(404, "Chat not found")
    return stored


@app.get("/api/chats/", response_model=list[ConversationOut])
async def list_chats(
    db: Session, user: CurrentUser, page: Page = 1, page_size: PageSize = 20
) -> Sequence[Conversation]:
    return await service.list_conversations(db, user, page, page_size)


@app.get("/api/messages/chat/{id}", response_model=list[MessageOut])
async def list_messages(
    db: Session, user: CurrentUser, id: uuid.UUID, page: Page = 1, page_size: PageSize = 100
) -> Sequence[Message]:
    return get_or_404(await service.list_messages(db, user, id, page, page_size))


@app.post("/api/messages/chat/{id}", response_model=MessageOut, status_code=201)
async def create_message(db: Session, user: CurrentUser, id: uuid.UUID, sent: MessageIn) -> Message:
    return get_or_404(await service.create_message(db, user, id, sent))
