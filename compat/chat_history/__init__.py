"""Contract C of docs/compatibility.md: chats and messages, as two resources."""
