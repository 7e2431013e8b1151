"""The command `housekeeping`."""

import time
from typing import Any

from django.core.management import BaseCommand, CommandParser, call_command

from chatstore import limits
from conversations.services import preview, retention
from replies.services import janitor
from staff import deletions
from staff.audit import retention as audit_retention
from staff.jobs import creation, runner

JOB_SECONDS = 20


class Command(BaseCommand):
    help = "Delete expired data, once. `up` does this every minute; without `up`, run it from a scheduler."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--pending-lists",
            action="store_true",
            help="only merge the pending lists of the text indexes; `up` does this every ten seconds",
        )

        parser.add_argument(
            "--dry-run", action="store_true", help="delete nothing; print what the next runs would delete"
        )
        parser.add_argument(
            "--without-jobs",
            action="store_true",
            help=f"run no jobs of staff; otherwise, run them for at most {JOB_SECONDS} s. `up` runs them by itself",
        )

    def handle(self, *, pending_lists: bool, dry_run: bool, without_jobs: bool, **options: Any) -> None:
        if dry_run:
            self.stdout.writelines(f"{label}: {count}" for label, count in deletions.counts(preview.read_preview()))
            return
        if pending_lists:
            retention.merge_pending_lists()
            return
        janitor.close_dead(after=60)  # generators close them earlier
        janitor.close_waiting()
        removed = retention.housekeep() | janitor.forget() | {"audit_events": audit_retention.delete_old_events()}
        call_command("clearsessions")
        limits.forget()
        removed["jobs"] = creation.delete_old_jobs()
        self.stdout.write(
            ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in removed.items()) + " removed"
        )
        if not without_jobs:
            deadline = time.monotonic() + JOB_SECONDS
            runner.run_due(lambda: time.monotonic() > deadline)
