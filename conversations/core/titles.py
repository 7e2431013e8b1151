"""Automatic titles, for conversations that were created without a title."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from conversations.sql import NEW_CHAT

AUTO_TITLE_LENGTH = 80


def new_chat(now: datetime) -> str:
    """Return the title of a conversation without a question."""
    return f"New Chat {now:%Y-%m-%d}"


def is_new_chat(title: str) -> bool:
    return re.fullmatch(NEW_CHAT, title) is not None


def from_messages(drafts: Iterable[Any]) -> str:
    """Return the first line of the first text of a user, shortened; "" if there is none."""
    texts = ((draft.get("content") or "").strip() for draft in drafts if draft["role"] == "user")
    text = next(filter(None, texts), "")
    return shortened(text.splitlines()[0]) if text else ""


def shortened(line: str, length: int = AUTO_TITLE_LENGTH) -> str:
    """Cut a line to a number of characters, and add `...` if something was cut."""
    return line if len(line) <= length else line[:length].rstrip() + "..."
