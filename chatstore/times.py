"""Times that clients send."""

from datetime import UTC, datetime


def parse_utc(text: str) -> datetime:
    """Parse a time in ISO 8601 and convert it to UTC; without an offset it is UTC already.

    PostgreSQL refuses offsets of 16 hours and more, which Python and ISO 8601 allow. Raises ValueError if the text is
    no time, or if it is outside of the years 1 to 9999 in UTC."""
    moment = datetime.fromisoformat(text)
    return to_utc(moment) if moment.tzinfo else moment.replace(tzinfo=UTC)


def to_utc(moment: datetime) -> datetime:
    """Convert a time that has an offset. Raises ValueError if it is outside of the years 1 to 9999 in UTC."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{moment} is not within the years 1 to 9999 of UTC") from None
