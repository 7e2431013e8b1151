"""Start all processes that answer questions: a web server, the generator of replies, and a fake provider."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from . import provider
from .processes import Process, cpu_seconds, free_port, megabytes, running, with_children
from .servers import COMMANDS, ENVIRONMENT
from .users import add_user

GENERATOR_NICENESS = 5  # as in `up`


@dataclass(frozen=True)
class System:
    port: int
    database_url: str
    web: Process
    generator: Process
    provider: Process

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add_users(self, name: str, count: int) -> list[str]:
        """Return the tokens of new users."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            return [add_user(connection, f"{name}{number}")[1] for number in range(count)]

    def cpu_seconds(self) -> dict[str, float]:
        """Return the CPU time of each part so far. PostgreSQL's is that of its processes for this database."""
        parts = {
            "the web server": with_children(self.web.pid),
            "the generator": with_children(self.generator.pid),
            "the provider": [self.provider.pid],
            "PostgreSQL": self._backends(),
        }
        return {name: cpu_seconds(pids) for name, pids in parts.items()}

    def worker_megabytes(self) -> float:
        """Return the memory of the largest worker process of the web server."""
        return max(megabytes(pid) for pid in with_children(self.web.pid)[1:])

    def _backends(self) -> list[int]:
        query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            return [pid for (pid,) in connection.execute(query)]


@contextmanager
def running_system(database_url: str, *, tokens: int = 1) -> Iterator[System]:
    """Start the processes, and stop them at the end. The answer to a question has this number of tokens."""
    port, provider_port = free_port(), free_port()
    route = {"base_url": f"http://127.0.0.1:{provider_port}/v1", "api_key": "none"}
    models = {"stream": route | {"model": "stream"}, "slow": route | {"model": provider.SLOW}}
    environment = ENVIRONMENT | {"DATABASE_URL": database_url, "MODELS": json.dumps(models)}
    command = COMMANDS["chatstore"].format(port=port).split()
    with (
        running(["-m", "benchmarks.provider", str(provider_port), str(tokens)], {}, port=provider_port) as fake,
        running(["manage.py", "replies"], environment, niceness=GENERATOR_NICENESS) as generator,
        running(command, environment, port=port) as web,
    ):
        yield System(port, database_url, web, generator, fake)
