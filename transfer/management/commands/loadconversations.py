import zlib
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from accounts.management.users import get_user
from transfer.importers import jsonl, loading


class Command(BaseCommand):
    help = "Loads conversations from JSON Lines (or .gz of it), one a line. Again: nothing is doubled."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--user", required=True, metavar="EMAIL", help="whose they will be")
        parser.add_argument("--create-user", action="store_true", help="make the user where there is none")

    def handle(self, *, files: list[Path], user: str, create_user: bool, **options: Any) -> None:
        owner = get_user(user, create=create_user)
        bad = sum(self._load(path, owner) for path in files)
        if bad:
            raise CommandError(f"{bad} bad lines were passed over.")

    def _load(self, path: Path, owner: Any) -> int:
        new = again = bad = 0
        try:
            records = loading.load(jsonl.lines(path), jsonl.parse, user=owner)
            # disable=None shows a progress bar only on a terminal.
            for loaded in tqdm(records, desc=path.name, unit=" conversations", disable=None):
                new, again, bad = new + loaded.is_new, again + (not loaded.is_new), bad + bool(loaded.error)
                if loaded.error:
                    self.stderr.write(f"{path}:{loaded.place}: {loaded.error}")
        except (OSError, EOFError, zlib.error) as error:
            raise CommandError(f"{path}: {error}") from None
        self.stdout.write(f"{path.name}: {new} loaded, {again - bad} there already, {bad} bad")
        return bad
