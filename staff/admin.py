"""Imports the modules that register the admin's pages. Django loads this module."""

from . import accounts, big_tables, conversations, messages, reactions, users

__all__ = ["accounts", "big_tables", "conversations", "messages", "reactions", "users"]
