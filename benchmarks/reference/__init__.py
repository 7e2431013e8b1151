"""Document C as a good engineer writes it today: FastAPI, async SQLAlchemy, asyncpg, pydantic."""
