"""The modules that register the admin's pages. Django imports this module."""

from . import conversations, credentials, holds, messages, reactions, receipts, users
from .audit import pages
from .review import labels

__all__ = ["conversations", "credentials", "holds", "labels", "messages", "pages", "reactions", "receipts", "users"]
