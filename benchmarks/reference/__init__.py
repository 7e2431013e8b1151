"""The same answers from the same tables as a good engineer writes them with FastAPI, async SQLAlchemy, asyncpg and
pydantic, laid out as the chat history backend of document C is."""
