"""Users and conversations as chatstore would have stored them: the same ones for the same sizes and seed.

One user has a tenth of all messages. Conversations came one after the other over two years; some have replies that were
generated again, tool calls, messages or themselves in the trash.
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
from conversations.models import Role

from .text import Writer

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
PERIOD = timedelta(days=730)
LENGTHS = (2, 2, 4, 4, 6, 8, 12, 20, 40, 160)  # messages of a conversation
FORMER_UNTIL = 0.2  # of the period: until then people spoke of what they no longer speak of
TOOL_CALL = {"id": "call_1", "type": "function", "function": {"name": "search", "arguments": '{"q": "weather"}'}}

Row = dict[str, Any]


class World:
    def __init__(self, messages: int, users: int, seed: int) -> None:
        self.messages = messages
        self.rng = Random(seed)
        self.writer = Writer(self.rng)
        self.users = [self._user(number) for number in range(users)]

    def token(self, secret: str, user_id: UUID) -> Row:
        name = secret.removeprefix(ApiToken.PREFIX)
        digest = ApiToken.digest_of(secret)
        return {"id": self.new_id(BEGIN), "user_id": user_id, "name": name, "digest": digest, "created_at": BEGIN}

    def conversations(self) -> Iterator[tuple[Row, list[Row]]]:
        written = of_first = 0
        while written < self.messages:
            share = written / self.messages
            # The first user's share is a tenth at every time, not only at the end.
            owner = self.users[0] if of_first * 10 <= written else self.rng.choice(self.users[1:])
            talk = Talk(self, owner["id"], BEGIN + share * PERIOD, former=share < FORMER_UNTIL)
            written += len(talk.messages)
            of_first += len(talk.messages) * (owner is self.users[0])
            yield talk.row(), talk.messages

    def _user(self, number: int) -> Row:
        email = f"user{number}@example.org"
        return {"id": self.new_id(BEGIN), "email": email, "password": "!", "name": email, "updated_at": BEGIN}

    def new_id(self, when: datetime) -> UUID:
        """A UUIDv7 of that time, with bits of ours: the index grows at its right edge, as it does in service."""
        milliseconds = int(when.timestamp() * 1000)
        return UUID(
            int=milliseconds << 80 | 7 << 76 | self.rng.getrandbits(12) << 64 | 2 << 62 | self.rng.getrandbits(62)
        )


class Talk:
    """One conversation, message by message, and what its row says of them."""

    def __init__(self, world: World, user_id: UUID, started: datetime, *, former: bool) -> None:
        self.world, self.rng, self.former = world, world.rng, former
        self.user_id, self.started, self.now = user_id, started, started
        self.id = world.new_id(started)
        self.messages: list[Row] = []
        self.tip: int | None = None
        length = self.rng.choice(LENGTHS)
        while len(self.messages) < length:
            self._exchange()

    def _exchange(self) -> None:
        if self.messages and self.rng.random() < 0.02:
            self.messages[-1]["deleted_at"] = self.now  # hidden, and still on the path of what is said next
        self._say(Role.USER, content=self.world.writer.question(former=self.former))
        if self.rng.random() < 0.05:
            self._say(Role.ASSISTANT, content=None, tool_calls=Jsonb([TOOL_CALL]))
            self._say(Role.TOOL, content='{"weather": "fair"}', tool_call_id=TOOL_CALL["id"])
        if self.rng.random() < 0.03:
            self._reply(is_active=False)  # generated again
        self._reply()

    def _reply(self, **fields: Any) -> None:
        content = self.world.writer.reply(former=self.former)
        tokens = {"prompt_tokens": 40 * len(self.messages), "completion_tokens": len(content) // 4}
        self._say(Role.ASSISTANT, content=content, model="gpt-4", finish_reason="stop", **tokens, **fields)

    def _say(self, role: Role, **fields: Any) -> None:
        self.now += timedelta(seconds=self.rng.uniform(2, 60))
        seq = len(self.messages) + 1
        place = {"conversation_id": self.id, "user_id": self.user_id, "seq": seq, "parent_seq": self.tip}
        times = {"created_at": self.now, "updated_at": self.now}
        self.messages.append(
            {"id": self.world.new_id(self.now), **place, "is_active": True, "role": role, **times, **fields}
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
            "model": "gpt-4",
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
