"""The size of a text, measured as in every API."""


def size_above(text: str, limit: int) -> int:
    """Return the size of the text in bytes of UTF-8 if it is above the limit, else 0."""
    # A character has at most four bytes, so only a long text is worth encoding.
    size = len(text.encode()) if len(text) * 4 > limit else 0
    return size if size > limit else 0
