"""A provider that does what the question tells it. Importing this module adds its kind, `scripted`, to PROVIDERS.

The question is a JSON array of steps; any other question gets the reply DEFAULT. A step is:

* a text: a Text delta
* a number: a pause of so many seconds
* `["reasoning", "…"]`, `["refusal", "…"]`, `["tool_call", 0, "id", "name", "arguments"]`: a delta of this kind
* `["repeat", n, "…", pause]`: n Text deltas with a pause after each
* `["fail", "reason"]`: a ProviderError
* `["stall"]`: nothing more, until the reading task is cancelled
* `["crash"]`: an error that no provider should raise
* `["finish", "reason", prompt_tokens, completion_tokens]`: the end. Without it, the end is `["finish", "stop", 7, 2]`.
* `["break off"]`: the end without a Finish

`calls` are the calls in this process. To use it in a process of its own, start the process with
DJANGO_SETTINGS_MODULE=testing.scripted_settings and MODELS='{"scripted": {"kind": "scripted", "model": "any"}}'.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from chatstore.errors import ProviderError
from replies.providers import PROVIDERS, Delta, Finish, Reasoning, Refusal, Text, ToolCall

ROUTE = {"kind": "scripted", "model": "any"}
DEFAULT = ["Fi", "ne."]
USUAL_END = ["finish", "stop", 7, 2]
DELTAS: dict[str, Any] = {"reasoning": Reasoning, "refusal": Refusal, "tool_call": ToolCall, "finish": Finish}


class Call(NamedTuple):
    provider: "Scripted"
    messages: list[dict[str, Any]]
    options: dict[str, Any]


calls: list[Call] = []


@dataclass(frozen=True)
class Scripted:
    name: str
    model: str
    input: str = "text"

    async def stream(self, messages: Sequence[dict[str, Any]], options: Mapping[str, Any]) -> AsyncGenerator[Delta]:
        calls.append(Call(self, list(messages), dict(options)))
        for step in _steps(messages[-1]["content"]):
            match step:
                case str():
                    yield Text(step)
                case int() | float():
                    await asyncio.sleep(step)
                case ["repeat", times, text, pause]:
                    for _ in range(times):
                        yield Text(text)
                        await asyncio.sleep(pause)
                case ["fail", reason]:
                    raise ProviderError(reason)
                case ["stall"]:
                    await asyncio.Event().wait()
                case ["crash"]:
                    raise RuntimeError("the scripted provider crashes")
                case ["break off"]:
                    return
                case [kind, *values]:
                    yield DELTAS[kind](*values)


def script(*steps: Any) -> str:
    """Return the question that makes the provider take these steps."""
    return json.dumps(steps)


def _steps(question: Any) -> Iterable[Any]:
    try:
        steps = json.loads(question)
    except (TypeError, ValueError):
        steps = None
    steps = steps if isinstance(steps, list) else DEFAULT
    has_end = any(isinstance(step, list) and step[0] in ("finish", "break off") for step in steps)
    return steps if has_end else [*steps, USUAL_END]


PROVIDERS["scripted"] = Scripted
