from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query
from sqlalchemy.orm import Session

from . import service
from .database import session
from .models import Message
from .schemas import ChatOut, ListOut, MessageIn, MessageOut

app = FastAPI(title="Chat History Backend API")

Database = Annotated[Session, Depends(session)]
Page = Annotated[int, Query(ge=1)]
PageSize = Annotated[int, Query(ge=1, le=100)]


@app.get("/api/chats/", response_model=ListOut[ChatOut])
def list_chats(db: Database, page: Page = 1, page_size: PageSize = 20) -> dict[str, Any]:
    return service.list_chats(db, page, page_size)


@app.get("/api/messages/chat/{chat_id}", response_model=ListOut[MessageOut])
def list_messages(db: Database, chat_id: int, page: Page = 1, page_size: PageSize = 20) -> dict[str, Any]:
    return service.list_messages(db, chat_id, page, page_size)


@app.post("/api/messages/", response_model=MessageOut, status_code=201)
def create_message(db: Database, sent: MessageIn) -> Message:
    return service.create_message(db, sent)
