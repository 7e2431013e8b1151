"""Contract B of docs/compatibility.md: chat with model routing. Contract E shares its POST route."""
