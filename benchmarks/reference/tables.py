"""The reference's tables, filled with chatstore's rows: what is shown, in words of its own."""

import psycopg
from sqlalchemy import create_engine, text

from .models import Base

ROWS = (
    "INSERT INTO reference.users SELECT id, email FROM account",
    "INSERT INTO reference.tokens SELECT digest, user_id FROM api_token",
    """INSERT INTO reference.chats (id, user_id, name, notebooks, created_at, updated_at)
    SELECT id, user_id, title, notebooks, created_at, active_at FROM conversation WHERE deleted_at IS NULL""",
    """INSERT INTO reference.messages (id, chat_id, role, content, created_at, updated_at)
    SELECT m.id, conversation_id, CASE role WHEN 'user' THEN 'user' ELSE 'ai' END, content, m.created_at, m.updated_at
    FROM message m JOIN conversation c ON c.id = conversation_id
    WHERE is_active AND m.deleted_at IS NULL AND c.deleted_at IS NULL AND content IS NOT NULL""",
)


def fill(url: str) -> None:
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url))
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA reference"))
        Base.metadata.create_all(connection)
        for statement in ROWS:
            connection.execute(text(statement))
