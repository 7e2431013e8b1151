"""The modules that register the admin's pages. Django imports this module."""

from . import conversations, credentials, messages, reactions, users
from .audit import pages
from .jobs import pages as job_pages

__all__ = ["conversations", "credentials", "job_pages", "messages", "pages", "reactions", "users"]
