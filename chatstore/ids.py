"""Primary keys: UUIDv7, so that inserts go to the right edge of an index and ids sort by creation time."""

import uuid
from datetime import datetime

# uuid_utils instead of uuid6: under load, the ids of uuid6 ran 25 s ahead of the wall clock.
from uuid_utils.compat import uuid7


def new_id() -> uuid.UUID:
    """Return a new primary key."""
    return uuid7()


def first_id(at: datetime) -> uuid.UUID:
    """Return the lowest UUID that sorts among the ids of this time: lower than all that are created at it or later."""
    return uuid.UUID(int=int(at.timestamp() * 1000) << 80)


def as_uuid(name: str) -> uuid.UUID | None:
    """Return the UUID if `name` has the form in which chatstore writes its ids, else None."""
    id = parse_uuid(name)
    return id if str(id) == name else None


def parse_uuid(text: str) -> uuid.UUID | None:
    """Return the UUID if `text` is a UUID in any form, else None."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
