"""All that a user has, as a zip that is made while it is sent: no file, no transaction, no connection held while the
client reads, and no more in memory than a batch. `account.json` comes from the API, whose words it speaks;
`conversations.jsonl` holds a conversation a line, as the API writes it, with its `messages`; jsonl.py reads it."""

import io
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import orjson

from accounts.models import User
from chatstore.database import release_connection
from conversations.models import Conversation, Message

CONVERSATIONS_A_BATCH = 100
MESSAGES_A_BATCH = 100  # at most: a batch ends at its bytes, too


def stream(*, user: User, account: bytes) -> Iterator[bytes]:
    release_connection()  # which asked who this is
    yield from _zipped({"account.json": [account], "conversations.jsonl": _lines(user)})


def _zipped(files: dict[str, Iterable[bytes]]) -> Iterator[bytes]:
    sent = _Sent()
    with ZipFile(sent, "w", ZIP_DEFLATED) as archive:
        for name, pieces in files.items():
            with archive.open(name, "w", force_zip64=True) as file:
                for piece in pieces:
                    file.write(piece)
                    if sent.kept:
                        yield sent.taken()
    yield sent.taken()


class _Sent(io.RawIOBase):
    """A file that cannot seek, and keeps what is written until it is taken."""

    def __init__(self) -> None:
        self.kept = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.kept += data
        return len(data)

    def taken(self) -> bytes:
        taken, self.kept = bytes(self.kept), bytearray()
        return taken


def _lines(user: User) -> Iterator[bytes]:
    """In pieces: a conversation may be too long for one."""
    for texts in _batches(user):
        by_id = {orjson.loads(text)["id"]: text for text in texts}
        for id, messages in groupby(_messages(user, list(by_id)), itemgetter(0)):
            yield by_id[id][:-1].encode() + b',"messages":['
            yield from _joined(text.encode() for _, text in messages if text)
            yield b"]}\n"


def _joined(texts: Iterable[bytes]) -> Iterator[bytes]:
    comma = b""
    for text in texts:
        yield comma + text
        comma = b","


def _batches(user: User) -> Iterator[list[str]]:
    """Newest first, by creation, which does not move."""
    rows = Conversation.objects.owned_by(user).kept().by_creation()
    texts = rows[:CONVERSATIONS_A_BATCH].json_texts()
    while texts:
        release_connection()
        yield texts
        last = orjson.loads(texts[-1])
        full = len(texts) == CONVERSATIONS_A_BATCH
        texts = (
            rows.before_creation(last["created_at"], last["id"])[:CONVERSATIONS_A_BATCH].json_texts() if full else []
        )


def _messages(user: User, ids: list[str]) -> Iterator[tuple[str, str | None]]:
    """Each with its conversation's id, in the order of these; one without a text for each that has none."""
    after, more = 0, True
    while more:
        rows = Message.objects.exported(user, ids, after=after, limit=MESSAGES_A_BATCH)
        release_connection()
        more = len(rows) == MESSAGES_A_BATCH or rows[-1][1] == ""
        rows = [row for row in rows if row[1] != ""]
        yield from rows
        id, text = rows[-1]
        ids, after = ids[ids.index(id) :], orjson.loads(text)["seq"] if text else 0
