"""The modules that register the admin's pages. Django imports this module."""

from . import conversations, credentials, holds, messages, reactions, receipts, users
from .audit import pages
from .jobs import pages as job_pages
from .review import labels

__all__ = [
    "conversations",
    "credentials",
    "holds",
    "job_pages",
    "labels",
    "messages",
    "pages",
    "reactions",
    "receipts",
    "users",
]
