"""A browser tab with the client of contract D, which saves its sessions in the order of the real client.

The real client often saves from an outdated closure: when a reply is complete, it first saves the sessions from before
the question. After a switch of chats, it loses the last reply of the chat that it left."""

from copy import deepcopy
from random import Random
from typing import Any

from testing.storage_client import NO_TOKENS, Json

WORDS = "zebras sleep standing up mostly in short naps while one of them keeps watch".split()
Sessions = list[Json]


class Clock:
    """Gives each session and each message a time. A question and its reply get the same time now and then."""

    def __init__(self, rng: Random) -> None:
        self.rng, self.time = rng, 1_747_036_238_000

    def tick(self) -> int:
        self.time += self.rng.choice((0, 1, 7))
        return self.time


class Tab:
    """`sessions` is what the tab shows, newest first. Each method returns the saves that it causes, in order."""

    def __init__(self, clock: Clock, sessions: Sessions) -> None:
        self.clock, self.rng, self.sessions = clock, clock.rng, deepcopy(sessions)
        self.active: Json = self.sessions[0] if sessions else self._add_session()

    def saved(self) -> Sessions:
        return deepcopy(self.sessions)

    def new_chat(self) -> list[Sessions]:
        """Open an empty session. The outdated closure saves without it first."""
        outdated = self.saved()
        self._leave()
        self.active = self._add_session()
        return [outdated, self.saved()]

    def switch(self) -> list[Sessions]:
        """Display another session."""
        self._leave()
        self.active = self.rng.choice(self.sessions)
        return [self.saved()]

    def exchange(self) -> list[Sessions]:
        """Ask a question and let the reply stream. The reply can be preceded by tool calls."""
        before = self.saved()
        self._say("user", self._text())
        if self.active["title"] == "New Chat":
            self.active["title"] = f"{self.active['messages'][0]['content'][:20]}..."
        streamed = self._agent_turn() if self.rng.random() < 0.3 else self._stream()
        self.active["tokenUsage"] = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}
        outdated = [before] if self.rng.random() < 0.8 else []
        return [*streamed, *outdated, self.saved()]

    def _stream(self) -> list[Sessions]:
        """Let a reply grow. It is saved from time to time, also while it is empty."""
        reply, text = self._say("assistant", ""), self._text()
        saves = []
        for length in sorted(self.rng.choices(range(len(text)), k=self.rng.randint(0, 3))):
            reply["content"] = text[:length]
            saves.append(self.saved())
        reply["content"] = text
        return saves

    def _agent_turn(self) -> list[Sessions]:
        """Call two tools. The second call is added to the same message, and removes what followed the first call."""
        caller = self._say("assistant", "", tool_calls=[])
        end = len(self.active["messages"])
        saves: list[Sessions] = []
        for name in ("search", "fetch"):
            del self.active["messages"][end:]
            id = f"call_{self.clock.tick()}_{name}"
            caller["tool_calls"].append({"id": id, "type": "function", "function": {"name": name, "arguments": "{}"}})
            self._say("tool", self._text(), tool_call_id=id)
            saves += [*self._stream(), self.saved()]
        return saves

    def _say(self, role: str, content: str, **more: Any) -> Json:
        message = {"id": str(self.clock.tick()), "role": role, "content": content, **more}
        self.active["messages"].append(message)
        return message

    def _text(self) -> str:
        return " ".join(self.rng.choices(WORDS, k=self.rng.randint(2, 12))) + f" {self.rng.random()}"

    def _add_session(self) -> Json:
        self.clock.time += 1_000  # sessions have different times
        time = self.clock.time
        fields = {"id": f"s{time}", "title": "New Chat", "messages": [], "createdAt": time, "tokenUsage": NO_TOKENS}
        self.sessions.insert(0, fields)
        return fields

    def _leave(self) -> None:
        """Lose the last reply of the active session."""
        messages = self.active["messages"]
        if messages and messages[-1]["role"] == "assistant" and self.rng.random() < 0.5:
            messages.pop()
