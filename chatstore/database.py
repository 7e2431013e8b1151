"""DATABASE_URL, or the embedded server, as Django's settings. Computes addresses; starts nothing unless asked."""

import re
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import environ
import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from . import embedded

# wsgi.py says so: the threads of a server share a pool, a command needs one plain connection without time limits.
is_serving = False
SCHEMES = ("postgres", "postgresql", "postgresql+psycopg")
SHAPE = "postgresql://user:password@host:5432/name"
# Authority, then a database's name, then anything: an @ is plain text in a query and nowhere else.
WELL_FORMED = re.compile(r"([^@/?#]*@)?[^@/?#]*/[^@?#]+(\?[^#]*)?")
REDIS = ("redis", "rediss", "unix")
PASSWORD = re.compile(r"[^:@/?#]*:(.*)@")  # greedy: the password ends at the last @
# A host that loses power closes no connection. Without these limits a request waits for it for 15 minutes or longer.
NETWORK = {
    "tcp_user_timeout": 5_000,  # milliseconds until data that nobody acknowledges ends the connection
    "keepalives_idle": 5,  # seconds of silence until the kernel asks whether the host is there
    "keepalives_interval": 2,  # seconds between its questions
    "keepalives_count": 3,
}
POOL_TIMEOUT = 2  # seconds that a request waits for a connection; meanwhile it takes a thread from other requests
# Seconds for which the pool tries to connect, with growing pauses; then the next request begins anew. At the pool's
# default of 300 the pauses grow to minutes, and the service stays away long after its database has come back.
RECONNECT_TIMEOUT = 2


def release_connection() -> None:
    """Back to the pool, before something slow; it is taken again when it is needed."""
    if not connection.in_atomic_block:
        connection.close()


def database_time() -> datetime:
    """Return the time by the database's clock. Stored times are compared with this one only, because the clocks of
    several web servers differ."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        time: datetime = cursor.fetchone()[0]
        return time


def is_read_only(error: BaseException) -> bool:
    """Return whether a statement failed because the database accepts no changes: a standby, or one set read-only."""
    return isinstance(error.__cause__, psycopg.errors.ReadOnlySqlTransaction)


def renew_connections() -> None:
    """Replace the connections of this process's pool. A session that began read-only stays so, even after its database
    accepts changes again."""
    if pool := getattr(connection, "pool", None):
        pool.drain()


def settings(url: str, data_dir: Path, *, pool_size: int, statement_timeout: int) -> dict[str, Any]:
    database = _from_url(url) if url else embedded.address(data_dir)
    options = {"connect_timeout": 5, **(NETWORK if url else {}), **database.get("OPTIONS", {})}
    if pool_size:
        options |= _pooled(pool_size, statement_timeout, options.get("options", ""))
    return {
        **database,
        "ENGINE": "django.db.backends.postgresql",
        "OPTIONS": options,
        # PgBouncer can stand between: a cursor of the server's would outlive the transaction that it gives us.
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }


def cache(url: str) -> dict[str, Any]:
    """A Redis, or a table of the database; housekeeping takes from that what is through."""
    if not url:
        # Culling at the default of 300 entries would forget limits that hold.
        options = {"MAX_ENTRIES": 1_000_000}
        return {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache", "OPTIONS": options}
    if url.partition("://")[0] not in REDIS:
        raise ImproperlyConfigured("CACHE_URL must look like redis://host:6379/0.")
    return {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url, "KEY_PREFIX": "chatstore"}


def running() -> AbstractContextManager[object]:
    """The database for the length of a command; with a DATABASE_URL it is somebody else's to run."""
    from django.conf import settings as project

    return nullcontext() if project.DATABASE_URL else embedded.running(project.DATA_DIR)


def _pooled(size: int, statement_timeout: int, options: str) -> dict[str, Any]:
    limits = {"timeout": POOL_TIMEOUT, "reconnect_timeout": RECONNECT_TIMEOUT}
    pooled: dict[str, Any] = {"pool": {"min_size": 1, "max_size": size, **limits}}
    if statement_timeout:
        pooled["options"] = f"{options} -c statement_timeout={statement_timeout}".strip()
    return pooled


def _from_url(url: str) -> dict[str, Any]:
    scheme, _, rest = url.partition("://")
    if scheme.lower() not in SCHEMES:
        raise ImproperlyConfigured(f"DATABASE_URL must look like {SHAPE}: chatstore runs on PostgreSQL only.")
    _refuse_raw_password(rest)
    if not WELL_FORMED.fullmatch(rest):
        raise ImproperlyConfigured(f"DATABASE_URL must look like {SHAPE}.")
    try:
        return environ.Env.db_url_config(f"postgresql://{rest}")
    except ValueError as error:
        raise ImproperlyConfigured(f"DATABASE_URL must look like {SHAPE}: {error}.") from None


def _refuse_raw_password(rest: str) -> None:
    # django-environ accepts it silently, and takes a part of the password for the host.
    password = PASSWORD.match(rest)
    if password and not WELL_FORMED.fullmatch(rest) and re.search("[@/?#]", password[1]):
        raise ImproperlyConfigured(
            f"The password in DATABASE_URL has to be percent-encoded: write {quote(password[1], safe='')}."
        )
