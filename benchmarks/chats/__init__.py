"""A server of contract C's own kind (docs/compatibility.md): FastAPI, synchronous SQLAlchemy, psycopg and Pydantic.

It has the two tables, the statements and the answers of the original back end, without sign-in and without owners.
Two things are better than there: an index for the list, and no test of each connection before it is used.
"""
