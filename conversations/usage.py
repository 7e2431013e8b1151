"""The token usage of a conversation, in OpenAI's format."""

from typing import Any

from .models import Conversation


def counted_usage(conversation: Conversation) -> dict[str, int]:
    """Return the sums of the tokens of all messages."""
    return {
        "prompt_tokens": conversation.prompt_tokens,
        "completion_tokens": conversation.completion_tokens,
        "total_tokens": conversation.prompt_tokens + conversation.completion_tokens,
    }


def is_counted_usage(usage: Any, conversation: Conversation) -> bool:
    """Return whether a client sends back our own sums, as they are now or as they were earlier."""
    counted = counted_usage(conversation)
    return (
        isinstance(usage, dict)
        and usage.keys() == counted.keys()
        and all(type(value) is int and value <= counted[name] for name, value in usage.items())
    )
