"""The command `jobs`."""

import signal
from typing import Any

from django.core.management import BaseCommand, CommandParser

from staff.jobs import progress, runner


class Command(BaseCommand):
    help = "Run the jobs of staff until none is due, or until SIGTERM or Ctrl-C. `up` does this when there is one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--count", action="store_true", help="only print how many jobs are due")

    def handle(self, *, count: bool, **options: Any) -> str | None:
        if count:
            return str(progress.due().count())
        stopped: list[int] = []
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, lambda signum, frame: stopped.append(signum))
        runner.run_due(lambda: bool(stopped))  # it stops after the conversation that it works on
        return None
