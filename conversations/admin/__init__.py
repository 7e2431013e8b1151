"""The staff console, in its first form."""

from . import conversations, messages, reactions, users

__all__ = ["conversations", "messages", "reactions", "users"]
