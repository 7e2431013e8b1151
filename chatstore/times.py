"""Times that clients send."""

from datetime import UTC, datetime


def parse_utc(text: str) -> datetime:
    """Parse a time in ISO 8601 and convert it to UTC. A time without an offset is in UTC.

    Without the conversion, PostgreSQL would refuse offsets of 16 hours and more, although they are valid in ISO 8601.
    Raises ValueError if the text is not a time, or if the time in UTC is outside the years 1 to 9999."""
    time = datetime.fromisoformat(text)
    return to_utc(time) if time.tzinfo else time.replace(tzinfo=UTC)


def to_utc(time: datetime) -> datetime:
    """Convert a time that has an offset. Raises ValueError if it is outside the years 1 to 9999 in UTC."""
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{time} is outside the years 1 to 9999 in UTC") from None
