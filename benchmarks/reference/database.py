import os
from collections.abc import AsyncIterator
from typing import Any

import orjson
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine


def _address() -> dict[str, Any]:
    """Convert DATABASE_URL to arguments of asyncpg. The host can be the folder of a socket."""
    given = conninfo_to_dict(os.environ["DATABASE_URL"])
    address = {name: given[name] for name in ("host", "user", "password") if name in given}
    return address | {"database": given["dbname"], "port": int(given.get("port", 5432))}


engine = create_async_engine(
    "postgresql+asyncpg://",
    connect_args=_address(),
    pool_size=4,  # connections; as in a worker of chatstore
    max_overflow=0,
    json_deserializer=orjson.loads,
)
sessions = async_sessionmaker(engine, expire_on_commit=False)


async def session() -> AsyncIterator[AsyncSession]:
    async with sessions() as opened:
        yield opened
