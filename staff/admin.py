"""The modules that register the admin's pages. Django imports this module."""

from . import audit_pages, conversations, credentials, messages, reactions, users

__all__ = ["audit_pages", "conversations", "credentials", "messages", "reactions", "users"]
