import zlib
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from accounts.management.users import get_user
from accounts.models import User
from conversations.services import retention
from transfer.importers import jsonl, loading

MERGE_AFTER = 1_000  # conversations


class Command(BaseCommand):
    help = "Load conversations from JSON Lines files, plain or as .gz. Loading a file again stores nothing twice."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--user", required=True, metavar="EMAIL", help="the owner of the conversations")
        parser.add_argument("--create-user", action="store_true", help="create the user if there is none")

    def handle(self, *, files: list[Path], user: str, create_user: bool, **options: Any) -> None:
        owner = get_user(user, create=create_user)
        failed = sum(self._load(path, owner) for path in files)
        retention.merge_pending_lists()  # so that search does not read long lists until the next housekeeping
        if failed:
            raise CommandError(f"Lines that could not be loaded: {failed}.")

    def _load(self, path: Path, owner: User) -> int:
        """Load a file, print the outcome, and return the number of lines that failed. Raises CommandError."""
        counts: Counter[str] = Counter()
        try:
            records = loading.load(jsonl.lines(path), jsonl.parse, user=owner)
            # disable=None shows a progress bar only on a terminal.
            for loaded in tqdm(records, desc=path.name, unit=" conversations", disable=None):
                counts["failed" if loaded.error else "new" if loaded.is_new else "stored"] += 1
                if counts.total() % MERGE_AFTER == 0:
                    retention.merge_pending_lists()
                if loaded.error:
                    self.stderr.write(f"{path}:{loaded.place}: {loaded.error}")
        except (OSError, EOFError, zlib.error) as error:
            raise CommandError(f"{path}: {error}") from None
        new, stored, failed = counts["new"], counts["stored"], counts["failed"]
        self.stdout.write(f"{path.name}: {new} loaded, {stored} already stored, {failed} failed")
        return failed
