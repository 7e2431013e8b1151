"""The command `replies`."""

import asyncio
import signal
import uuid
from contextlib import nullcontext
from typing import Any

from django.core.management import BaseCommand, CommandParser
from django.db import connection

from chatstore import database
from replies import providers
from replies.generator import Generator, Pace
from replies.generator.network import new_event_loop
from replies.services import janitor


class Command(BaseCommand):
    help = "Generates replies until SIGTERM or Ctrl-C. `up` runs it; more can run, on any machine."

    pace = Pace()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--worker",
            type=uuid.UUID,
            help="For `up`, which runs the database: the id of the process. It keeps the id when it starts again.",
        )

    def handle(self, *, worker: uuid.UUID | None, **options: Any) -> None:
        # A process that starts the embedded server can change its user. Linux then forgets that it ends with `up`.
        with nullcontext() if worker else database.server_running():
            if worker:
                janitor.close_left_by(worker)
                connection.close()
            providers.preload()
            with asyncio.Runner(loop_factory=new_event_loop) as runner:
                runner.run(_generate(Generator(worker=worker, pace=self.pace)))


async def _generate(generator: Generator) -> None:
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, generator.stop)
    await generator.run()
