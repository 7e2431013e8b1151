"""Django's database and cache settings, computed from DATABASE_URL and CACHE_URL, and helpers for connections."""

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
from django.db.backends.base.base import BaseDatabaseWrapper

from . import embedded

# True in a process of the web server: wsgi.py sets it before it loads the settings. The threads of such a process share
# a pool of connections, and their statements have a time limit. A command has one connection, and its statements have
# no limit.
is_serving = False
SCHEMES = ("postgres", "postgresql", "postgresql+psycopg")
URL_EXAMPLE = "postgresql://user:password@host:5432/name"
# user:password@host:port, a slash, the name of the database, and options. A further @ is allowed only in the options.
WELL_FORMED = re.compile(r"([^@/?#]*@)?[^@/?#]*/[^@?#]+(\?[^#]*)?")
CACHE_SCHEMES = ("redis", "rediss", "unix")
# The password ends at the last @ before the options, which begin with ?name=.
PASSWORD = re.compile(r"[^:@/?#]*:((?:(?!\?\w+=).)*)@")
# A host that loses power does not close its connections. Without these limits, a request waits for a dead host for 15
# minutes or longer.
NETWORK = {
    "tcp_user_timeout": 5_000,  # milliseconds; the kernel closes the connection if sent data has no ACK by then
    "keepalives_idle": 5,  # seconds without traffic before the kernel sends a keepalive probe
    "keepalives_interval": 2,  # seconds between probes
    "keepalives_count": 3,  # the kernel closes the connection if so many probes in a row get no answer
}
POOL_TIMEOUT = 2  # seconds that a request waits for a connection; during this time it occupies a thread
# Seconds for which the pool tries to connect, with growing pauses; the next request starts a new series of attempts. At
# the default of 300 the pauses grow to minutes, and the service stays down long after the database is back.
RECONNECT_TIMEOUT = 2


def release_connection() -> None:
    """Return the connection to the pool, before a slow operation. Does nothing in a transaction.

    Django takes a connection again for the next statement.
    """
    if not connection.in_atomic_block:
        connection.close()


def database_time() -> datetime:
    """Return the time of the database's clock. Compare stored times only with this time: the clocks of web servers can
    differ."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        time: datetime = cursor.fetchone()[0]
        return time


def is_read_only_error(error: BaseException) -> bool:
    """Return whether a statement failed because the database is a standby or was set to read-only."""
    return isinstance(error.__cause__, psycopg.errors.ReadOnlySqlTransaction)


def renew_connections() -> None:
    """Replace the connections of this process's pool. A connection that began while the database was read-only stays
    read-only, even after the database accepts changes again."""
    if pool := getattr(connection, "pool", None):
        pool.drain()


def direct_connection() -> BaseDatabaseWrapper:
    """Return a new open connection that is not from the pool and bypasses the pooler of DATABASE_DIRECT_URL.

    The caller closes it. It belongs to the calling thread. Raises OperationalError.
    """
    from django.conf import settings

    direct = connection.copy()
    if settings.DATABASE_DIRECT_URL:
        direct.settings_dict |= _from_url(settings.DATABASE_DIRECT_URL)
    options = {"connect_timeout": 5, **direct.settings_dict["OPTIONS"]}
    direct.settings_dict["OPTIONS"] = {name: value for name, value in options.items() if name != "pool"}
    direct.ensure_connection()
    return direct


def connection_settings(url: str, data_dir: Path, *, pool_size: int, statement_timeout: int) -> dict[str, Any]:
    """Return the entry of Django's DATABASES for the URL, or for the embedded server if `url` is empty.

    A `pool_size` of 0 means one connection without a pool and without a statement timeout. The timeout is in
    milliseconds; 0 means none. Raises ImproperlyConfigured if the URL is invalid.
    """
    database = _from_url(url) if url else embedded.address(data_dir)
    options = {"connect_timeout": 5, **(NETWORK if url else {}), **database.get("OPTIONS", {})}
    if pool_size:
        options |= _pool_options(pool_size, statement_timeout, options.get("options", ""))
    return {
        **database,
        "ENGINE": "django.db.backends.postgresql",
        "OPTIONS": options,
        # A server-side cursor outlives its transaction. PgBouncer can give the next transaction another connection.
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }


def cache_settings(url: str) -> dict[str, Any]:
    """Return the entry of Django's CACHES for a Redis, or for the cache table of the database if `url` is empty."""
    if not url:
        # Django's default of 300 would delete the rows of limits that still apply. Housekeeping deletes expired rows.
        options = {"MAX_ENTRIES": 1_000_000}
        return {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache", "OPTIONS": options}
    if url.partition("://")[0] not in CACHE_SCHEMES:
        raise ImproperlyConfigured(
            "CACHE_URL must begin with redis://, rediss:// or unix://, such as redis://host:6379/0."
        )
    return {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url, "KEY_PREFIX": "chatstore"}


def server_running() -> AbstractContextManager[object]:
    """Run the embedded server during the block. Does nothing if DATABASE_URL is set."""
    from django.conf import settings

    return nullcontext() if settings.DATABASE_URL else embedded.running(settings.DATA_DIR)


def _pool_options(size: int, statement_timeout: int, options: str) -> dict[str, Any]:
    limits = {"timeout": POOL_TIMEOUT, "reconnect_timeout": RECONNECT_TIMEOUT}
    pooled: dict[str, Any] = {"pool": {"min_size": 1, "max_size": size, **limits}}
    if statement_timeout:
        pooled["options"] = f"{options} -c statement_timeout={statement_timeout}".strip()
    return pooled


def _from_url(url: str) -> dict[str, Any]:
    scheme, _, rest = url.partition("://")
    if scheme.lower() not in SCHEMES:
        raise ImproperlyConfigured(f"DATABASE_URL must look like {URL_EXAMPLE}: chatstore runs on PostgreSQL only.")
    _refuse_raw_password(rest)
    if not WELL_FORMED.fullmatch(rest):
        raise ImproperlyConfigured(f"DATABASE_URL must look like {URL_EXAMPLE}.")
    try:
        return environ.Env.db_url_config(f"postgresql://{rest}")
    except ValueError as error:
        raise ImproperlyConfigured(f"DATABASE_URL must look like {URL_EXAMPLE}: {error}.") from None


def _refuse_raw_password(rest: str) -> None:
    # django-environ reports no error for such a password. It takes a part of the password as the host.
    password = PASSWORD.match(rest)
    if password and not WELL_FORMED.fullmatch(rest) and re.search("[@/?#]", password[1]):
        raise ImproperlyConfigured(
            f"The password in DATABASE_URL has to be percent-encoded: write {quote(password[1], safe='')}."
        )
