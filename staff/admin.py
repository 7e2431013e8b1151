"""The modules that register the admin's pages. Django imports this module."""

from . import conversations, credentials, messages, reactions, users
from .audit import pages

__all__ = ["conversations", "credentials", "messages", "pages", "reactions", "users"]
