"""The modules that register the admin's pages. Django imports this module."""

from . import conversations, credentials, messages, reactions, users
from .audit import pages
from .review import labels

__all__ = ["conversations", "credentials", "labels", "messages", "pages", "reactions", "users"]
