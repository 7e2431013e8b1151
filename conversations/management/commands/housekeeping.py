from typing import Any

from django.core.management import BaseCommand, call_command

from chatstore import limits
from conversations.services import retention


class Command(BaseCommand):
    help = "One round of what has to be done now and then: `up` does it every minute, elsewhere a scheduler should."

    def handle(self, **options: Any) -> None:
        done = retention.housekeep()
        call_command("clearsessions")
        limits.forget()
        self.stdout.write(", ".join(f"{count} {name.replace('_', ' ')}" for name, count in done.items()) + " removed")
