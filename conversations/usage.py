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
    """Return whether this usage can be our own sums, current or earlier, that a client read and sends back."""
    counted = counted_usage(conversation)
    return (
        isinstance(usage, dict)
        and usage.keys() == counted.keys()
        and all(type(value) is int and value <= counted[name] for name, value in usage.items())
    )
