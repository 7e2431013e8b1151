"""Contract A of docs/compatibility.md: chat sessions. The client saves the whole history after each exchange."""
