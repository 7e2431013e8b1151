"""The stored messages of one conversation, of which only a part is in memory.

A conversation can have more text than fits into memory. All its messages are read once, without their large fields. The
large fields are read when they are needed, in batches of BATCH_BYTES. Each batch replaces the one before it.
"""

from types import SimpleNamespace
from typing import Any

import orjson

from conversations.models import Conversation, Message
from conversations.sql import HEAVY, LARGE_JSON, SILENT_STATUSES, SMALL

BATCH_BYTES = 8_000_000


class StoredMessage(SimpleNamespace):
    """The columns of a message. Deferred ones are missing. An instance of Message takes ten times as long to build."""


class StoredMessages:
    """`rows` are all messages of a locked conversation, in order. The large fields of large messages are deferred."""

    def __init__(self, conversation: Conversation) -> None:
        """Read the messages. Runs one statement."""
        self.conversation = conversation
        self.rows: list[StoredMessage] = []
        self._sizes: dict[int, int] = {}  # bytes of each large message, by seq
        self._content_bytes: dict[int, int | None] = {}
        self._outlines: dict[int, SimpleNamespace] = {}
        self._index: dict[int, int] = {}  # the index in `rows` by seq
        self._loaded: list[StoredMessage] = []
        names = [field.attname for field in Message.objects.light_fields()]
        for values in Message.objects.skeleton(conversation.id):
            self._add(StoredMessage(**dict(zip(names, values, strict=False))), values[len(names) :])

    def _add(self, row: StoredMessage, values: tuple[Any, ...]) -> None:
        size, content_bytes, has_parts, has_tool_calls, *heavy = values
        self._index[row.seq] = len(self.rows)
        self.rows.append(row)
        self._content_bytes[row.seq] = content_bytes
        if size <= SMALL:
            _fill(row, heavy)
        else:
            self._sizes[row.seq] = size
            self._outlines[row.seq] = _outline(row, content_bytes is not None, has_parts, has_tool_calls)

    def outline(self, row: StoredMessage) -> Any:
        """Return the role, type and CONTENT_FIELDS of the message.

        For a large message, "" and [] stand for the CONTENT_FIELDS that are not null.
        """
        return self._outlines.get(row.seq, row)

    def is_silent(self, row: StoredMessage) -> bool:
        """Return whether the message is a reply without text. See `MessageQuerySet.said`."""
        return row.status in SILENT_STATUSES and self._content_bytes[row.seq] == 0

    def load(self, row: StoredMessage) -> None:
        """Read the large fields of the message and of the next messages, as one batch."""
        if row.seq not in self._sizes or "content" in row.__dict__:
            return
        self._drop_loaded()
        batch = {each.id: each for each in self._batch(row)}
        for id, *heavy in self.conversation.messages.filter(id__in=batch).values_list("id", *HEAVY):
            batch[id].__dict__.update(zip(HEAVY, heavy, strict=True))
        self._loaded = list(batch.values())

    def _batch(self, row: StoredMessage) -> list[StoredMessage]:
        """Return the message and the large ones after it, up to BATCH_BYTES together."""
        batch, size = [row], self._sizes[row.seq]
        for index in range(self._index[row.seq] + 1, len(self.rows)):
            size += self._sizes.get(self.rows[index].seq, 0)
            if size > BATCH_BYTES:
                break
            if self.rows[index].seq in self._sizes:
                batch.append(self.rows[index])
        return batch

    def _drop_loaded(self) -> None:
        for row in self._loaded:
            for name in HEAVY:
                row.__dict__.pop(name, None)

    def can_have(self, row: StoredMessage, content: str | None) -> bool:
        """Return whether the message can have this content, judged by its length in bytes."""
        return self._content_bytes[row.seq] == (None if content is None else len(content.encode()))


def _fill(row: StoredMessage, heavy: list[Any]) -> None:
    for name, value in zip(HEAVY, heavy, strict=True):
        row.__dict__[name] = orjson.loads(value) if value is not None and name in LARGE_JSON else value


def _outline(row: StoredMessage, has_content: bool, has_parts: bool, has_tool_calls: bool) -> SimpleNamespace:
    return SimpleNamespace(
        role=row.role,
        item_type=row.item_type,
        content="" if has_content else None,
        parts=[] if has_parts else None,
        tool_calls=[] if has_tool_calls else None,
    )
