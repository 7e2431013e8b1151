"""Copy the conversations of one user into the tables of this server: the texts that contract C shows."""

import psycopg
from sqlalchemy import create_engine
from sqlalchemy.schema import CreateSchema

from .models import SCHEMA, Base

# `copied` is not a table of the server. It maps chats to conversations, for the requests of the benchmark.
COPY = """
    CREATE TABLE chats.copied AS
        SELECT row_number() OVER (ORDER BY c.created_at, c.id) AS chat_id, c.id AS conversation_id
        FROM conversation c JOIN api_token t USING (user_id)
        WHERE t.name = 'tenth' AND c.deleted_at IS NULL AND c.archived_at IS NULL;
    INSERT INTO chats.chats (id, name, notebooks, created_at, updated_at)
        SELECT chat_id, title, notebooks, created_at, updated_at
        FROM chats.copied JOIN conversation ON id = conversation_id;
    INSERT INTO chats.messages (chat_id, role, content, created_at, updated_at)
        SELECT chat_id, CASE role WHEN 'assistant' THEN 'ai' ELSE role END, content, created_at, updated_at
        FROM chats.copied JOIN message USING (conversation_id)
        WHERE is_active AND deleted_at IS NULL AND item_type = 'message' AND content IS NOT NULL
            AND role IN ('user', 'assistant', 'system')
        ORDER BY created_at;
"""


def copy_user(url: str) -> None:
    """Create the tables in the database at this URL, and copy the conversations of the user whose token is `tenth`."""
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url))
    with engine.begin() as connection:
        connection.execute(CreateSchema(SCHEMA))
        Base.metadata.create_all(connection)
        connection.exec_driver_sql(COPY)
    engine.dispose()
