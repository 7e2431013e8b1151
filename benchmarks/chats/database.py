import os
from collections.abc import Iterator

import psycopg
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

engine = create_engine(
    "postgresql+psycopg://",
    creator=lambda: psycopg.connect(os.environ["DATABASE_URL"]),
    pool_size=10,  # more than the 8 connections of the benchmark, so that no request waits for one
    max_overflow=0,
)
sessions = sessionmaker(engine, autoflush=False)


def session() -> Iterator[Session]:
    with sessions() as opened:
        yield opened
        opened.commit()  # without it, the session ends with a ROLLBACK, and psycopg drops its prepared statements
