"""The messages that a model gets: the system prompt, then the end of the branch up to the question.

Hazards: a branch has more text than a model reads or a process can hold, and stored messages can have any content.

One statement reads the branch from its end, until a limit of messages or bytes. A second limit counts tokens. Providers
refuse calls of tools without results, and results without calls, so these are kept in pairs or left out.
"""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import Any

import orjson

from chatstore.errors import NotFound
from conversations.models import Message
from replies import providers
from replies.models import Reply, State

from . import tokens
from .parts import content_of, text_of

ROLES = ("system", "developer", "user", "assistant", "tool")
SYSTEM_ROLES = ("system", "developer")

ChatMessage = dict[str, Any]


def prepare(reply: Reply) -> tuple[list[ChatMessage], int]:
    """Return the messages for the model of a reply that this process runs, and an estimate of their tokens.

    Stores the estimate in the row of the reply, because another process can close the reply. Raises NotFound if the
    question is not live.
    """
    request = reply.request
    found = request.get("messages") or build_context(reply)
    prompt_tokens = tokens.of_prompt(found, request["options"])
    held = Reply.objects.filter(id=reply.id, state=State.RUNNING, worker=reply.worker, attempts=reply.attempts)
    held.update(tokens=prompt_tokens)
    return found, prompt_tokens


def build_context(reply: Reply) -> list[ChatMessage]:
    """Return the messages for the model of this reply, in OpenAI's format for chat completions. Runs one statement.

    The last message is the question. It is always included. Raises NotFound if the question is not live.
    """
    prompt = reply.request["options"].get("system_prompt") or ""
    if reply.message is None:
        return [*_system(prompt), *reply.request["messages"]]
    context = reply.request["context"]
    branch, first = _read(reply.message, uuid.UUID(reply.request["question"]), context["messages"])
    stored = text_of(first) if first and first["role"] in SYSTEM_ROLES else ""
    system = list(_system("\n\n".join(filter(None, [prompt, stored]))))
    inputs = _inputs(reply.request["model"])
    question, *earlier = [_convert(row, inputs) for row in branch if not stored or row["seq"] != first["seq"]]
    newest = [question, *(message for message in earlier if _says_something(message))]
    budget = context["tokens"] - sum(map(tokens.of_message, system))
    return [*system, *_pair_calls(_limit_tokens(newest, budget)[::-1])]


def _read(message: Message, question_id: uuid.UUID, limit: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the branch that ends at the question of this message, newest first, and the first shown message."""
    texts = Message.objects.prompt(message.user, message.conversation_id, question_id, roles=ROLES, limit=limit)
    rows = [orjson.loads(text) for text in texts]
    branch = [row for row in rows if "is_first" not in row]
    if not branch:
        raise NotFound("message")
    return branch, next((row for row in rows if "is_first" in row), {})


def _system(prompt: str) -> Iterator[ChatMessage]:
    if prompt:
        yield {"role": "system", "content": prompt}


def _inputs(model: str) -> Sequence[str]:
    provider = providers.find(model)
    return providers.inputs(provider) if provider else ["text"]


def _convert(row: dict[str, Any], inputs: Sequence[str]) -> ChatMessage:
    role = row["role"]
    if role == "user":
        return {"role": role, "content": content_of(row, inputs)}
    if role == "tool":
        return {"role": role, "content": text_of(row), "tool_call_id": row["tool_call_id"]}
    if role == "assistant" and (calls := _calls(row["tool_calls"])):
        return {"role": role, "content": text_of(row) or None, "tool_calls": calls}
    return {"role": "system" if role in SYSTEM_ROLES else role, "content": text_of(row)}


def _calls(stored: Any) -> list[dict[str, Any]]:
    """Return the stored calls that have OpenAI's format."""
    return [_call(call) for call in stored if _is_call(call)] if isinstance(stored, list) else []


def _is_call(call: Any) -> bool:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        return False
    return all(isinstance(value, str) for value in (call.get("id"), function.get("name"), function.get("arguments")))


def _call(call: dict[str, Any]) -> dict[str, Any]:
    function = {key: call["function"][key] for key in ("name", "arguments")}
    return {"id": call["id"], "type": "function", "function": function}


def _says_something(message: ChatMessage) -> bool:
    return bool(message["content"] or "tool_calls" in message or message["role"] == "tool")


def _limit_tokens(messages: list[ChatMessage], budget: int) -> list[ChatMessage]:
    """Return the first messages up to this number of tokens, and at least one."""
    for index, message in enumerate(messages):
        budget -= tokens.of_message(message)
        if budget < 0:
            return messages[: max(index, 1)]
    return messages


def _pair_calls(messages: Sequence[ChatMessage]) -> Iterator[ChatMessage]:
    """Yield the messages. Leave out calls without a result directly after them, and results without such a call."""
    awaited: set[str] = set()
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            if message["tool_call_id"] in awaited:
                awaited.remove(message["tool_call_id"])
                yield message
            continue
        calls = message.get("tool_calls", [])
        answered = {id for id in _results(messages[index + 1 :]) if id} if calls else set()
        kept = [call for call in calls if call["id"] in answered]
        awaited = {call["id"] for call in kept}
        if kept:
            yield message | {"tool_calls": kept}
        elif not calls or message["content"]:
            yield {key: value for key, value in message.items() if key != "tool_calls"}


def _results(messages: Iterable[ChatMessage]) -> Iterator[str]:
    """Yield the ids of the calls whose results begin this list."""
    return (message["tool_call_id"] for message in takewhile(lambda message: message["role"] == "tool", messages))
