from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import services
from accounts.management.users import get_user
from accounts.models import ApiToken, read_and_write
from chatstore.database import database_time

NAME_LENGTH = ApiToken._meta.get_field("name").max_length or 0
MAX_DAYS = 36_500


class Command(BaseCommand):
    help = "Create a bearer token for a user and print only the secret."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--create-user", action="store_true", help="create the user if there is none")
        parser.add_argument("--name", default="command line", help="the name of the token")
        parser.add_argument("--scopes", nargs="+", choices=ApiToken.Scope.values, default=read_and_write())
        parser.add_argument("--days", type=int, help="days until the token expires (default: never)")

    def handle(
        self, *, email: str, create_user: bool, name: str, scopes: list[str], days: int | None, **options: Any
    ) -> None:
        if len(name) > NAME_LENGTH:
            raise CommandError(f"--name has {len(name)} characters; the limit is {NAME_LENGTH}.")
        expires_at = None if days is None else _add_days(days)
        _, secret = services.create_token(
            user=get_user(email, create=create_user),
            name=name,
            scopes=list(dict.fromkeys(scopes)),
            expires_at=expires_at,
        )
        self.stdout.write(secret)


def _add_days(days: int) -> datetime:
    if not 1 <= days <= MAX_DAYS:
        raise CommandError(f"--days must be between 1 and {MAX_DAYS}, not {days}.")
    return database_time() + timedelta(days=days)
