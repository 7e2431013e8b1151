"""Add users to a database of the benchmark, each with a token."""

from datetime import UTC, datetime
from uuid import UUID

import psycopg

from accounts.models import ApiToken, User
from chatstore.ids import new_id

from .fill import copy_rows


def add_user(connection: psycopg.Connection, name: str) -> tuple[UUID, str]:
    """Return the id and the token of a new user."""
    id, token, now = new_id(), f"{ApiToken.PREFIX}{name}", datetime.now(UTC)
    user = {"id": id, "email": f"{name}@example.org", "password": "!", "name": name, "updated_at": now}
    digest = ApiToken.hash_secret(token)
    copy_rows(connection, User, [user])
    copy_rows(
        connection, ApiToken, [{"id": new_id(), "user_id": id, "name": name, "digest": digest, "created_at": now}]
    )
    return id, token
