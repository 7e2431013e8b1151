"""Contract E of docs/compatibility.md: the latest conversations, by the id that the client gave them. Its chat route is
in compat.chat."""
