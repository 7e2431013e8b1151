"""Generate users and conversations as chatstore stores them. The same sizes and seed give the same rows.

One user has a tenth of all messages. The conversations begin one after the other, over two years, and have ten messages
on average. Some have tags, regenerated replies, tool calls, failed replies or trashed messages, and some are archived
or in the trash.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from accounts.models import ApiToken
from conversations.core import titles
from conversations.core.tree import preview_of
from conversations.models import Role, Status

from .text import Writer

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
PERIOD = timedelta(days=730)
LENGTHS = {2: 12, 4: 8, 6: 3, 8: 2, 12: 1, 20: 1, 160: 1}  # numbers of messages, each with its share of conversations
MODELS = {"gpt-4": 90, "llama-3": 9, "mistral": 1}  # with their shares of conversations
SOURCES = ("native", "native", "native", "chat", "threads")
TAGS = {"billing": 1 / 20, "urgent": 1 / 1000}  # with the shares of conversations that have them
OLD_SUBJECT_UNTIL = 0.2  # a share of PERIOD; only conversations before it mention OLD_SUBJECT (text.py)
TOOL_CALL = {"id": "call_1", "type": "function", "function": {"name": "search", "arguments": '{"q": "weather"}'}}

Row = dict[str, Any]


class Dataset:
    def __init__(self, messages: int, users: int, seed: int) -> None:
        self.messages = messages
        self.rng = Random(seed)
        self.writer = Writer(self.rng)
        self.users = [self._user(number) for number in range(users)]

    def token(self, secret: str, user_id: UUID) -> Row:
        name = secret.removeprefix(ApiToken.PREFIX)
        digest = ApiToken.hash_secret(secret)
        return {"id": self.new_id(BEGIN), "user_id": user_id, "name": name, "digest": digest, "created_at": BEGIN}

    def conversations(self) -> Iterator[tuple[Row, list[Row]]]:
        written = of_first = 0
        while written < self.messages:
            share = written / self.messages
            # The first user has a tenth of the messages at all times, not only at the end.
            owner = self.users[0] if of_first * 10 <= written else self.rng.choice(self.users[1:])
            made = GeneratedConversation(
                self, owner["id"], BEGIN + share * PERIOD, old_subject=share < OLD_SUBJECT_UNTIL
            )
            written += len(made.messages)
            of_first += len(made.messages) * (owner is self.users[0])
            yield made.row(), made.messages

    def _user(self, number: int) -> Row:
        email = f"user{number}@example.org"
        return {"id": self.new_id(BEGIN), "email": email, "password": "!", "name": email, "updated_at": BEGIN}

    def new_id(self, when: datetime) -> UUID:
        """Return a UUIDv7 for this time, so that the primary key's index grows at its right edge, as in production."""
        milliseconds = int(when.timestamp() * 1000)
        return UUID(
            int=milliseconds << 80 | 7 << 76 | self.rng.getrandbits(12) << 64 | 2 << 62 | self.rng.getrandbits(62)
        )


class GeneratedConversation:
    """One conversation: its messages, and its row with the derived columns."""

    def __init__(
        self, dataset: Dataset, user_id: UUID, started: datetime, *, old_subject: bool = False, length: int = 0
    ) -> None:
        """`length` is the least number of messages. By default it is one of LENGTHS."""
        self.dataset, self.rng, self.old_subject = dataset, dataset.rng, old_subject
        self.user_id, self.started, self.now = user_id, started, started
        self.id = dataset.new_id(started)
        self.model = self._pick(MODELS)
        self.messages: list[Row] = []
        self.tip: int | None = None
        length = length or self._pick(LENGTHS)
        while len(self.messages) < length:
            self._exchange()

    def _pick(self, shares: dict[Any, int]) -> Any:
        return self.rng.choices(list(shares), weights=shares.values())[0]

    def _exchange(self) -> None:
        if self.messages and self.rng.random() < 0.02:
            self.messages[-1]["deleted_at"] = self.now  # hidden, but still on the path of the next message
        self._add(Role.USER, content=self.dataset.writer.question(old_subject=self.old_subject))
        if self.rng.random() < 0.05:
            self._add(Role.ASSISTANT, content=None, tool_calls=Jsonb([TOOL_CALL]))
            self._add(Role.TOOL, content='{"weather": "fair"}', tool_call_id=TOOL_CALL["id"])
        if self.rng.random() < 0.03:
            self._reply(is_active=False)  # hidden, because the next reply replaces it
        if self.rng.random() < 0.002:
            self._add(Role.ASSISTANT, content="", model=self.model, status=Status.FAILED, error="The model is away.")
        else:
            self._reply()

    def _reply(self, **fields: Any) -> None:
        content = self.dataset.writer.reply(old_subject=self.old_subject)
        tokens = {"prompt_tokens": 40 * len(self.messages), "completion_tokens": len(content) // 4}
        self._add(Role.ASSISTANT, content=content, model=self.model, finish_reason="stop", **tokens, **fields)

    def _add(self, role: Role, **fields: Any) -> None:
        self.now += timedelta(seconds=self.rng.uniform(2, 60))
        seq = len(self.messages) + 1
        place = {"conversation_id": self.id, "user_id": self.user_id, "seq": seq, "parent_seq": self.tip}
        times = {"created_at": self.now, "updated_at": self.now}
        self.messages.append(
            {"id": self.dataset.new_id(self.now), **place, "is_active": True, "role": role, **times, **fields}
        )
        if self.messages[-1]["is_active"]:
            self.tip = seq

    def row(self) -> Row:
        shown = [message for message in self.messages if message["is_active"] and not message.get("deleted_at")]
        texts = [message["content"] for message in shown if message["content"]]
        return {
            "id": self.id,
            "user_id": self.user_id,
            "title": titles.from_messages(self.messages),
            "title_is_auto": True,
            "model": self.model,
            "source": self.rng.choice(SOURCES),
            "tags": [tag for tag, share in TAGS.items() if self.rng.random() < share],
            "archived_at": self.now if self.rng.random() < 0.05 else None,
            "deleted_at": self.now if self.rng.random() < 0.02 else None,
            "last_seq": len(self.messages),
            "tip_seq": shown[-1]["seq"],
            "message_count": len(shown),
            "preview": preview_of(texts[-1]),
            "prompt_tokens": self._sum("prompt_tokens"),
            "completion_tokens": self._sum("completion_tokens"),
            "created_at": self.started,
            "updated_at": self.now,
            "active_at": self.now,
        }

    def _sum(self, tokens: str) -> int:
        return sum(message.get(tokens) or 0 for message in self.messages)
