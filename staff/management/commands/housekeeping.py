"""The command `housekeeping`."""

from typing import Any

from django.core.management import BaseCommand, CommandParser, call_command

from chatstore import limits
from conversations.services import preview, retention
from replies.services import janitor
from staff import deletions
from staff.audit import retention as audit_retention


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

    def handle(self, *, pending_lists: bool, dry_run: bool, **options: Any) -> None:
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
        self.stdout.write(
            ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in removed.items()) + " removed"
        )
