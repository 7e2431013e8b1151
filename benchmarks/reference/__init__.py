"""The same API on the same tables, written in the usual way with FastAPI, async SQLAlchemy, asyncpg and Pydantic.

Its routes and modules are like those of the back end of contract C (docs/compatibility.md).
"""
