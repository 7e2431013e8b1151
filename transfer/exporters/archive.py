"""The export of all data of a user, as a ZIP file that is made while it is sent.

The export uses no temporary file and no transaction. No database connection is open while the client reads. Only one
batch of conversations and one batch of messages are in memory. `account.json` has the profile, the preferences, the
tokens (without secrets), the e-mail addresses, the linked accounts and the shares (without their links).
`conversations.jsonl` has one conversation per line: its JSON as in the API, and its `messages`.
`transfer.importers.jsonl` reads that file.
"""

import io
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import orjson
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount

from accounts.api.serializers import MeSerializer, PreferencesSerializer, TokenSerializer
from accounts.models import User
from accounts.services import preferences_of
from chatstore.api.responses import row_to_dict
from chatstore.database import release_connection
from conversations.models import Conversation, Message, Share

CONVERSATIONS_PER_BATCH = 100
MESSAGES_PER_BATCH = 100  # a batch also ends at PAGE_BYTES
SHARE_FIELDS = ("id", "conversation_id", "title", "message_count", "sign_in_required", "expires_at", "created_at")


def stream(*, user: User, account: bytes) -> Iterator[bytes]:
    """Yield the pieces of the ZIP file. `account` is the content of `account.json`."""
    release_connection()  # the request has opened one
    yield from _compress({"account.json": [account], "conversations.jsonl": _lines(user)})


def account_of(user: User) -> bytes:
    """Return the content of `account.json`."""
    return orjson.dumps(_account(user), option=orjson.OPT_INDENT_2)


def _account(user: User) -> dict[str, Any]:
    """Return the values of `account.json`.

    `profile`, `preferences` and `tokens` have the same form as in the responses of the API. Tokens have no secrets, and
    shares have no links, because everyone who gets the file could open them.
    """
    addresses = EmailAddress.objects.filter(user=user).order_by("id")
    linked = SocialAccount.objects.filter(user=user).order_by("id")
    shares = Share.objects.owned_by(user).order_by("-id")  # SHARES_LIMIT bounds their number
    return {
        "profile": MeSerializer(user).data,
        "preferences": PreferencesSerializer(preferences_of(user)).data,
        "tokens": TokenSerializer(user.tokens.order_by("-id"), many=True).data,
        "emails": list(addresses.values("email", "verified", "primary")),
        "linked_accounts": list(linked.values("provider", "uid", "date_joined", "last_login", "extra_data")),
        "shares": [row_to_dict(share, SHARE_FIELDS) for share in shares],
    }


def _compress(files: dict[str, Iterable[bytes]]) -> Iterator[bytes]:
    """Yield the pieces of a ZIP file. `files` maps each file name to the pieces of its content."""
    buffer = _Buffer()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        for name, pieces in files.items():
            with archive.open(name, "w", force_zip64=True) as file:
                for piece in pieces:
                    file.write(piece)
                    if buffer.data:
                        yield buffer.take()
    yield buffer.take()


class _Buffer(io.RawIOBase):
    """A file that cannot seek. It keeps the written bytes until `take` removes them."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.data += data
        return len(data)

    def take(self) -> bytes:
        data, self.data = bytes(self.data), bytearray()
        return data


def _lines(user: User) -> Iterator[bytes]:
    """Yield the lines of `conversations.jsonl` in pieces, because the line of a long conversation is large."""
    for texts in _conversation_batches(user):
        by_id = {orjson.loads(text)["id"]: text for text in texts}
        for id, messages in groupby(read_messages(user, list(by_id)), itemgetter(0)):
            yield by_id[id][:-1].encode() + b',"messages":['
            yield from join(text.encode() for _, text in messages if text)
            yield b"]}\n"


def join(texts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the texts, with a comma before each but the first."""
    comma = b""
    for text in texts:
        yield comma + text
        comma = b","


def _conversation_batches(user: User) -> Iterator[list[str]]:
    """Yield batches of the user's conversations as JSON, newest first.

    They are ordered by creation, because new messages do not change this order while the client reads.
    """
    rows = Conversation.objects.owned_by(user).kept().by_creation()
    remaining = rows
    while texts := remaining[:CONVERSATIONS_PER_BATCH].json_texts():
        release_connection()
        yield texts
        if len(texts) < CONVERSATIONS_PER_BATCH:
            return
        last = orjson.loads(texts[-1])
        remaining = rows.before_creation(last["created_at"], last["id"])


def read_messages(user: User, ids: list[str]) -> Iterator[tuple[str, str | None]]:
    """Yield the messages of these conversations as pairs of conversation id and JSON, in the order of the ids.

    The JSON is None if a conversation has no messages, or no more messages. Each id is in at least one pair.
    """
    after, has_more = 0, True
    while has_more:
        rows = Message.objects.exported(user, ids, after=after, limit=MESSAGES_PER_BATCH)
        release_connection()
        has_more = len(rows) == MESSAGES_PER_BATCH or rows[-1][1] == ""
        rows = [row for row in rows if row[1] != ""]
        yield from rows
        id, text = rows[-1]
        ids, after = ids[ids.index(id) :], orjson.loads(text)["seq"] if text else 0
