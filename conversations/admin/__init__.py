"""The staff console, in its first form."""

from . import conversations, messages, reactions

__all__ = ["conversations", "messages", "reactions"]
