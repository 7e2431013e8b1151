"""The command `housekeeping`."""

from typing import Any

from django.core.management import BaseCommand, call_command

from chatstore import limits
from conversations.services import retention
from replies.services import janitor


class Command(BaseCommand):
    help = "Delete expired data, once. `up` does this every minute; without `up`, run it from a scheduler."

    def handle(self, **options: Any) -> None:
        janitor.close_dead(after=60)  # generators close them earlier
        janitor.close_waiting()
        removed = retention.housekeep() | janitor.forget()
        call_command("clearsessions")
        limits.forget()
        self.stdout.write(
            ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in removed.items()) + " removed"
        )
