"""Chats and messages, as two resources. Contract C of docs/compatibility.md."""
