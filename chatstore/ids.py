"""Primary keys: UUIDv7, so that inserts go to the right edge of an index and ids sort by the time they were made."""

import uuid

# uuid_utils rather than uuid6: under load the latter's clock ran 25 s ahead of the wall.
from uuid_utils.compat import uuid7


def new_id() -> uuid.UUID:
    return uuid7()


def as_uuid(name: str) -> uuid.UUID | None:
    """An id of ours in the one form in which we write it."""
    try:
        id = uuid.UUID(name)
    except ValueError:
        return None
    return id if str(id) == name else None
