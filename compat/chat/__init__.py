"""Chat with model routing: a question in, a model's answer out. Contract B of docs/compatibility.md, and the one route
that it shares with E."""
