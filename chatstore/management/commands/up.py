"""`make run`: the database, migrations, the first administrator and the web server, until Ctrl-C or SIGTERM.

Everything that this starts ends with it: the blocks end in reverse order, and where this process is killed outright the
kernel tells its children.
"""

import errno
import http.client
import io
import logging
import runpy
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection

from chatstore import children, database, embedded

logger = logging.getLogger(__name__)
PORT_TIMEOUT = 15  # seconds; the web server of an `up` that was killed has ended by then (its graceful_timeout is 10)
PORTS_TRIED = 100
START_TIMEOUT = 60
HOUSEKEEPING_EVERY = 60  # seconds
OLDEST_POSTGRESQL = 15
REMEDIES = {
    "Connection refused": "Is PostgreSQL running there?",
    "failed to resolve host": "Correct the host.",
    "authentication failed": "Correct the user or the password.",
    "does not exist": "Create it, or correct the name.",
    "invalid connection option": "Correct what follows the question mark.",
    "timeout expired": "Correct the host and the port; or a firewall is in between.",
    "unsupported startup parameter": "Set ignore_startup_parameters = options in PgBouncer, or DB_STATEMENT_TIMEOUT=0.",
    "permission denied": "Make its user the owner of the database: ALTER DATABASE name OWNER TO user.",
}


class Command(BaseCommand):
    help = "Runs chatstore: database, migrations, first administrator, web server."

    def handle(self, **options: Any) -> None:
        signal.signal(signal.SIGINT, _interrupt)
        signal.signal(signal.SIGTERM, _interrupt)
        try:
            self._run()
        except KeyboardInterrupt:
            self._say("Stopped.")

    def _run(self) -> None:
        runpy.run_path(str(settings.BASE_DIR / "gunicorn.conf.py"))  # junk in its knobs is said before anything starts
        with _claimed_data_dir() as was_killed:
            _try_port(PORT_TIMEOUT if was_killed else 0)
            with _database() as server:
                _check_database()
                _check_pooled_connection()
                _migrate()
                self.check(databases=["default"])
                self._create_administrator()
                self._serve(server)

    def _create_administrator(self) -> None:
        administrators = get_user_model().objects.filter(is_superuser=True)
        if administrators.exists():
            return
        password = settings.ADMIN_PASSWORD or secrets.token_urlsafe(12)
        try:
            get_user_model().objects.create_superuser(settings.ADMIN_EMAIL, password)
        except IntegrityError:
            if administrators.exists():  # made by another first run in the meantime
                return
            raise CommandError(f"ADMIN_EMAIL {settings.ADMIN_EMAIL} is an ordinary user's: set another.") from None
        if not settings.ADMIN_PASSWORD:
            self._say(f"Administrator {settings.ADMIN_EMAIL}, password {password}  (shown this once)")

    def _serve(self, server: embedded.Server | None) -> None:
        data = settings.DATA_DIR if server else "{HOST}/{NAME}".format(**settings.DATABASES["default"])
        connection.close()
        with _web_server() as web:
            here = settings.HOST in (*settings.LOOPBACK, "0.0.0.0", "::")
            url = f"http://{'localhost' if here else settings.HOST}:{settings.PORT}"
            self._say(
                f"App       {url}/",
                f"Admin     {url}/admin/",
                f"API docs  {url}/api/docs/",
                f"Data      {data}",
                "Ctrl-C stops it.",
            )
            _watch(web, server)

    def _say(self, *lines: str) -> None:
        self.stdout.write("\n".join(lines))
        self.stdout.flush()


def _interrupt(*_: object) -> None:
    # The first one is enough: another would interrupt the stopping itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def _claimed_data_dir() -> AbstractContextManager[bool]:
    """Yield whether the `up` before this one may have been killed, which nothing tells with a DATABASE_URL."""
    return nullcontext(True) if settings.DATABASE_URL else embedded.claim(settings.DATA_DIR)


def _database() -> AbstractContextManager[embedded.Server | None]:
    return nullcontext() if settings.DATABASE_URL else embedded.running(settings.DATA_DIR, tied=True)


def _try_port(patience: int) -> None:
    """Raise CommandError unless the web server can listen. Waits `patience` seconds for one that is ending."""
    deadline = time.monotonic() + patience
    while not _is_free(settings.PORT):
        if time.monotonic() > deadline:
            raise CommandError(f"Port {settings.PORT} is taken by another program. {_other_port()}")
        time.sleep(0.1)


def _is_free(port: int) -> bool:
    try:
        _bind(port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return False
        raise CommandError(f"HOST {settings.HOST}, PORT {port} cannot be listened on: {error.strerror}.") from None
    return True


def _other_port() -> str:
    ports = range(settings.PORT + 1, min(settings.PORT + PORTS_TRIED, 65_535) + 1)
    free = next((port for port in ports if _is_free(port)), None)
    return f"Stop that, or try PORT={free}, which is free." if free else "Stop that, or choose another PORT."


def _bind(port: int) -> None:
    # All addresses of the name: a browser tries the ::1 of localhost first, whoever listens there.
    for family, kind, *_, address in socket.getaddrinfo(settings.HOST, port, type=socket.SOCK_STREAM):
        try:
            with socket.socket(family, kind) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        except OSError as error:
            # A machine without IPv6 may still give localhost an ::1.
            if family == socket.AF_INET or error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                raise


def _check_database() -> None:
    try:
        connection.ensure_connection()
        version = connection.get_database_version()[0]
    except DatabaseError as error:
        raise CommandError(_explained(error)) from None
    if version < OLDEST_POSTGRESQL:
        raise CommandError(f"DATABASE_URL is a PostgreSQL {version}; chatstore needs {OLDEST_POSTGRESQL} or later.")


def _check_pooled_connection() -> None:
    """Connect once with the web server's own options, which PgBouncer may refuse while it accepts a command's."""
    served = database.settings(
        settings.DATABASE_URL,
        settings.DATA_DIR,
        pool_size=settings.DB_POOL_SIZE,
        statement_timeout=settings.DB_STATEMENT_TIMEOUT,
    )
    pooled = connection.copy()
    pooled.settings_dict["OPTIONS"] = {name: value for name, value in served["OPTIONS"].items() if name != "pool"}
    try:
        pooled.ensure_connection()
    except DatabaseError as error:
        raise CommandError(_explained(error)) from None
    finally:
        pooled.close()


def _migrate() -> None:
    try:
        call_command("migrate", verbosity=0, interactive=False)
    except DatabaseError as error:
        raise CommandError(_explained(error)) from None


def _explained(error: DatabaseError) -> str:
    message = " ".join(str(error).split())
    remedy = next((remedy for symptom, remedy in REMEDIES.items() if symptom in message), "")
    return f"DATABASE_URL cannot be used: {message.rstrip('.?')}. {remedy}".strip()


@contextmanager
def _web_server() -> Iterator[subprocess.Popen[bytes]]:
    web = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "chatstore.wsgi"],
        cwd=settings.BASE_DIR,
        start_new_session=True,  # a terminal's Ctrl-C would cut running requests short; SIGTERM lets them end
        preexec_fn=children.dying_with_parent(signal.SIGTERM),
    )
    try:
        _wait_for(web)
        yield web
    finally:
        web.terminate()
        web.wait()
        children.kill_group(web)  # workers outlive a master that was killed, and would keep the port


def _wait_for(web: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not _answers():
        if web.poll() is not None or time.monotonic() > deadline:
            raise CommandError("The web server does not start; its own messages are above.")
        time.sleep(0.1)


def _answers() -> bool:
    client = http.client.HTTPConnection(settings.HOST, settings.PORT, timeout=5)
    try:
        client.request("GET", "/livez/")
        return client.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        client.close()


def _watch(web: subprocess.Popen[bytes], server: embedded.Server | None) -> None:
    due = time.monotonic() + HOUSEKEEPING_EVERY
    while web.poll() is None:
        if server and not server.process():
            raise CommandError(f"The database server ended by itself; see {server.log}.")
        if time.monotonic() > due:
            _keep_house()
            due = time.monotonic() + HOUSEKEEPING_EVERY
        time.sleep(1)
    raise CommandError(f"The web server ended by itself, with status {web.returncode}.")


def _keep_house() -> None:
    try:
        call_command("housekeeping", stdout=io.StringIO())
    except DatabaseError:  # the web server answers for it; the next round makes up for this one
        logger.warning("housekeeping failed", exc_info=True)
    finally:
        connection.close()
