"""Contract E of docs/compatibility.md: the ten latest conversations, under ids that the client chooses. Its chat route
is in compat.chat."""
