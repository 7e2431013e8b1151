"""Chat sessions: a history, saved whole after each exchange. Contract A of docs/compatibility.md."""
