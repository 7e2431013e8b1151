"""`make run`: start the database, migrate, create the first administrator and serve, until Ctrl-C or SIGTERM.

This command also starts the generator of replies, which has a lower priority, and starts it again if it ends. It starts
a process for the jobs of staff when a job is due. This process ends when no job is due.

At its end, this command stops these processes, the web server and then the embedded database server. If the command is
killed, it cannot stop them. On Linux, the kernel then sends a stop signal to all of them.
"""

import errno
import http.client
import io
import logging
import os
import runpy
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection

from chatstore import children, database, embedded
from chatstore.ids import new_id

logger = logging.getLogger(__name__)
PORT_TIMEOUT = 15  # seconds; the web server of a killed `up` can need up to graceful_timeout (10 s) to stop
PORTS_TO_TRY = 100
START_TIMEOUT = 60  # seconds
HOUSEKEEPING_INTERVAL = 60  # seconds
MERGE_INTERVAL = 10  # seconds; every search reads the pending lists of the text indexes
CHILD_NICENESS = 5  # requests come first
GENERATOR_PAUSE = 2  # seconds between two starts
CHILD_TIMEOUT = 15  # seconds to end
JOBS_INTERVAL = 2  # seconds between two checks for jobs
OLDEST_POSTGRESQL = 15
REMEDIES = {  # by a part of the driver's error message
    "Connection refused": "Is PostgreSQL running there?",
    "failed to resolve host": "Correct the host.",
    "authentication failed": "Correct the user or the password.",
    "does not exist": "Create it, or correct the name.",
    "invalid connection option": "Correct the options after the question mark.",
    "timeout expired": "Check the host, the port, and the firewalls in between.",
    "unsupported startup parameter": "Set ignore_startup_parameters = options in PgBouncer, or DB_STATEMENT_TIMEOUT=0.",
    "permission denied": "Make the user the owner of the database: ALTER DATABASE name OWNER TO user.",
}


class Command(BaseCommand):
    help = "Runs chatstore: database, migrations, first administrator, web server."

    def handle(self, **options: Any) -> None:
        signal.signal(signal.SIGINT, _interrupt)
        signal.signal(signal.SIGTERM, _interrupt)
        try:
            self._run()
        except KeyboardInterrupt:
            self._print("Stopped.")

    def _run(self) -> None:
        runpy.run_path(str(settings.BASE_DIR / "gunicorn.conf.py"))  # raises if one of gunicorn's settings is invalid
        with _claim_data_dir() as may_have_been_killed:
            _check_port(PORT_TIMEOUT if may_have_been_killed else 0)
            with _database() as server:
                _check_database()
                _check_web_server_connection()
                _migrate()
                self.check(databases=["default"])
                self._create_administrator()
                self._create_single_user()
                self._serve(server)

    def _create_administrator(self) -> None:
        administrators = get_user_model().objects.filter(is_superuser=True)
        if administrators.exists():
            return
        password = settings.ADMIN_PASSWORD or secrets.token_urlsafe(12)
        try:
            get_user_model().objects.create_superuser(settings.ADMIN_EMAIL, password)
        except IntegrityError:
            if administrators.exists():  # another first run has created it at the same time
                return
            raise CommandError(f"ADMIN_EMAIL {settings.ADMIN_EMAIL} is an ordinary user's: set another one.") from None
        if not settings.ADMIN_PASSWORD:
            self._print(f"Administrator {settings.ADMIN_EMAIL}, password {password}  (shown only once)")

    def _create_single_user(self) -> None:
        users = get_user_model().objects
        if settings.SINGLE_USER and not users.filter(email__lower=settings.SINGLE_USER.lower()).exists():
            users.create_user(settings.SINGLE_USER)

    def _serve(self, server: embedded.Server | None) -> None:
        data = settings.DATA_DIR if server else "{HOST}/{NAME}".format(**settings.DATABASES["default"])
        connection.close()
        with _web_server() as web, _generator() as generator, _job_runner() as job_runner:
            is_local = settings.HOST in (*settings.LOOPBACK, "0.0.0.0", "::")
            url = f"http://{'localhost' if is_local else settings.HOST}:{settings.PORT}"
            self._print(
                f"App       {url}/",
                f"Admin     {url}/admin/",
                f"API docs  {url}/api/docs/",
                f"Data      {data}",
                *_single_user_warning(),
                "Press Ctrl-C to stop.",
            )
            _watch(web, generator, job_runner, server)

    def _print(self, *lines: str) -> None:
        self.stdout.write("\n".join(lines))
        self.stdout.flush()


def _single_user_warning() -> list[str]:
    """Return the lines that say what single-user mode allows. Return none if it is off."""
    if not settings.SINGLE_USER:
        return []
    return [
        "",
        f"WARNING: SINGLE-USER MODE. Requests without credentials are from {settings.SINGLE_USER}.",
        "They need no sign-in. Every program on this machine can send them, and the pages of these origins:",
        f"http://localhost:{settings.PORT}",
        *settings.CORS_ALLOWED_ORIGINS,
        "",
    ]


def _interrupt(*_: object) -> None:
    # A second signal must not interrupt the shutdown.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def _is_interrupted() -> bool:
    """Return whether a signal has arrived. Python drops the KeyboardInterrupt if it is raised in a weakref callback."""
    return signal.getsignal(signal.SIGTERM) == signal.SIG_IGN


def _claim_data_dir() -> AbstractContextManager[bool]:
    """Reserve DATA_DIR during the block. Yield whether the previous `up` may have been killed.

    With a DATABASE_URL, this reserves nothing and yields True, because no file records how the previous `up` ended.
    """
    return nullcontext(True) if settings.DATABASE_URL else embedded.claim(settings.DATA_DIR)


def _database() -> AbstractContextManager[embedded.Server | None]:
    return nullcontext() if settings.DATABASE_URL else embedded.running(settings.DATA_DIR, tied=True)


def _check_port(timeout: int) -> None:
    """Raise CommandError if PORT is in use. Waits up to `timeout` seconds for a web server that is stopping."""
    deadline = time.monotonic() + timeout
    while not _is_free(settings.PORT):
        if time.monotonic() > deadline:
            raise CommandError(f"Another program uses port {settings.PORT}. {_suggest_port()}")
        time.sleep(0.1)


def _is_free(port: int) -> bool:
    try:
        _bind(port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return False
        raise CommandError(f"Cannot listen on HOST {settings.HOST}, PORT {port}: {error.strerror}.") from None
    return True


def _suggest_port() -> str:
    ports = range(settings.PORT + 1, min(settings.PORT + PORTS_TO_TRY, 65_535) + 1)
    free = next((port for port in ports if _is_free(port)), None)
    return f"Stop it, or try PORT={free}, which is free." if free else "Stop it, or choose another PORT."


def _bind(port: int) -> None:
    # Bind every address of HOST: for localhost, a browser tries ::1 first, even if another program listens there.
    for family, kind, *_, address in socket.getaddrinfo(settings.HOST, port, type=socket.SOCK_STREAM):
        try:
            with socket.socket(family, kind) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        except OSError as error:
            # localhost can have the address ::1 on a machine without IPv6.
            if family == socket.AF_INET or error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                raise


def _check_database() -> None:
    try:
        connection.ensure_connection()
        version = connection.get_database_version()[0]
    except DatabaseError as error:
        raise CommandError(_explain(error)) from None
    if version < OLDEST_POSTGRESQL:
        raise CommandError(
            f"The database server is PostgreSQL {version}; chatstore needs {OLDEST_POSTGRESQL} or later."
        )


def _check_web_server_connection() -> None:
    """Connect with the web server's options. PgBouncer can refuse them although it accepts a command's options."""
    served = database.connection_settings(
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
        raise CommandError(_explain(error)) from None
    finally:
        pooled.close()


def _migrate() -> None:
    try:
        call_command("migrate", verbosity=0, interactive=False)
    except DatabaseError as error:
        raise CommandError(_explain(error)) from None


def _explain(error: DatabaseError) -> str:
    message = " ".join(str(error).split())
    remedy = next((remedy for symptom, remedy in REMEDIES.items() if symptom in message), "")
    return f"The database cannot be used: {message.rstrip('.?')}. {remedy}".strip()


@contextmanager
def _web_server() -> Iterator[subprocess.Popen[bytes]]:
    web = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "chatstore.wsgi"],
        cwd=settings.BASE_DIR,
        start_new_session=True,  # Ctrl-C in a terminal would abort running requests; SIGTERM lets them finish
        preexec_fn=children.dying_with_parent(signal.SIGTERM),
    )
    try:
        _wait_for(web)
        yield web
    finally:
        web.terminate()
        web.wait()
        children.kill_group(web)  # workers outlive a killed master and keep the port


def _wait_for(web: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not _is_up():
        if web.poll() is not None or time.monotonic() > deadline:
            raise CommandError("The web server does not start; see its messages above.")
        time.sleep(0.1)


def _is_up() -> bool:
    client = http.client.HTTPConnection(settings.HOST, settings.PORT, timeout=5)
    try:
        client.request("GET", "/livez/")
        return client.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        client.close()


class Generator:
    """The process `manage.py replies`. All of its runs have one id: each closes what the one before has left."""

    def __init__(self) -> None:
        self.worker = new_id()
        self.start()

    def start(self) -> None:
        self.started = time.monotonic()
        self.process = _start_child("replies", f"--worker={self.worker}")

    def restart_if_ended(self) -> None:
        """Start the process again if it has ended, but not more often than every GENERATOR_PAUSE seconds."""
        status = self.process.poll()
        if status is not None and time.monotonic() - self.started > GENERATOR_PAUSE:
            logger.warning("the generator of replies ended by itself, with status %s; it starts again", status)
            self.start()


class JobRunner:
    """The process `manage.py jobs`. It runs the jobs of staff, and ends when none is due."""

    process: "subprocess.Popen[bytes] | None" = None

    def start_if_needed(self) -> None:
        if (self.process is None or self.process.poll() is not None) and _count_due_jobs():
            self.process = _start_child("jobs")


def _count_due_jobs() -> int:
    try:
        return int(call_command("jobs", count=True, stdout=io.StringIO()))
    except DatabaseError:  # the next check finds them
        logger.warning("the jobs of staff cannot be read", exc_info=True)
        return 0
    finally:
        connection.close()


def _start_child(*command: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "manage.py", *command],
        cwd=settings.BASE_DIR,
        start_new_session=True,  # Ctrl-C in a terminal goes to `up`, which stops this process
        preexec_fn=_with_low_priority(children.dying_with_parent(signal.SIGTERM)),
    )


def _stop_child(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(CHILD_TIMEOUT)
    except subprocess.TimeoutExpired:  # for example, because the database is away
        process.kill()
        process.wait()


@contextmanager
def _generator() -> Iterator[Generator]:
    generator = Generator()
    try:
        yield generator
    finally:
        _stop_child(generator.process)


@contextmanager
def _job_runner() -> Iterator[JobRunner]:
    runner = JobRunner()
    try:
        runner.start_if_needed()
        yield runner
    finally:
        if runner.process:
            _stop_child(runner.process)


def _with_low_priority(prepare: Callable[[], object] | None) -> Callable[[], None]:
    def run_in_child() -> None:
        os.nice(CHILD_NICENESS)
        if prepare:
            prepare()

    return run_in_child


def _watch(
    web: subprocess.Popen[bytes], generator: Generator, job_runner: JobRunner, server: embedded.Server | None
) -> None:
    next_check = time.monotonic() + JOBS_INTERVAL
    next_housekeeping = time.monotonic() + HOUSEKEEPING_INTERVAL
    next_merge = time.monotonic() + MERGE_INTERVAL
    while web.poll() is None:
        if _is_interrupted():
            raise KeyboardInterrupt
        if server and not server.process():
            raise CommandError(f"The database server ended by itself; see {server.log}.")
        generator.restart_if_ended()
        if time.monotonic() > next_check:
            job_runner.start_if_needed()
            next_check = time.monotonic() + JOBS_INTERVAL
        if time.monotonic() > next_housekeeping:
            _run_housekeeping(without_jobs=True)
            next_housekeeping = time.monotonic() + HOUSEKEEPING_INTERVAL
        if time.monotonic() > next_merge:
            _run_housekeeping(pending_lists=True)
            next_merge = time.monotonic() + MERGE_INTERVAL
        time.sleep(1)
    raise CommandError(f"The web server ended by itself, with status {web.returncode}.")


def _run_housekeeping(**options: bool) -> None:
    try:
        call_command("housekeeping", stdout=io.StringIO(), **options)
    except DatabaseError:  # the next run does the work of this one
        logger.warning("housekeeping failed", exc_info=True)
    finally:
        connection.close()
