"""The command `replies`."""

import asyncio
import signal
import uuid
from typing import Any

from django.core.management import BaseCommand, CommandParser

from replies.generator import Generator, Pace
from replies.services import janitor


class Command(BaseCommand):
    help = "Generates replies until SIGTERM or Ctrl-C. `up` runs it; more can run, on any machine."

    pace = Pace()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--worker", type=uuid.UUID, help="the id of a process that has ended and that this replaces"
        )

    def handle(self, *, worker: uuid.UUID | None, **options: Any) -> None:
        if worker:
            janitor.close_left_by(worker)
        asyncio.run(_generate(Generator(worker=worker, pace=self.pace)))


async def _generate(generator: Generator) -> None:
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, generator.stop)
    await generator.run()
