"""The modules that register the admin's pages. Django imports this module."""

from . import conversations, credentials, log_entries, messages, reactions, users

__all__ = ["conversations", "credentials", "log_entries", "messages", "reactions", "users"]
