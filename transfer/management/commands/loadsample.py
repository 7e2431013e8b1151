from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatstore.errors import ServiceError
from conversations.services import retention
from transfer.importers import jsonl, sample


class Command(BaseCommand):
    help = "Load sample conversations of several users, with times up to now. Loading them again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *, file: Path, **options: Any) -> None:
        try:
            counts = Counter(sample.load(line) for _, line in jsonl.lines(file))
        except (OSError, ServiceError) as error:
            raise CommandError(f"{file}: {error}") from None
        retention.merge_pending_lists()
        self.stdout.write(f"{file.name}: {counts[True]} loaded, {counts[False]} already stored")
