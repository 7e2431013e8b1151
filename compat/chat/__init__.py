"""Contract B of docs/compatibility.md: chat with model routing. Its POST route is shared with contract E."""
