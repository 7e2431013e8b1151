from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import services
from accounts.management.users import user_named
from accounts.models import ApiToken, read_and_write
from chatstore.database import database_time

NAME_LENGTH = ApiToken._meta.get_field("name").max_length or 0
MOST_DAYS = 36_500


class Command(BaseCommand):
    help = "Prints a new bearer token for a user, and nothing else."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--create-user", action="store_true", help="make the user where there is none")
        parser.add_argument("--name", default="command line", help="what lists call the token")
        parser.add_argument("--scopes", nargs="+", choices=ApiToken.Scope.values, default=read_and_write())
        parser.add_argument("--days", type=int, help="until it expires; otherwise it does not")

    def handle(
        self, *, email: str, create_user: bool, name: str, scopes: list[str], days: int | None, **options: Any
    ) -> None:
        if len(name) > NAME_LENGTH:
            raise CommandError(f"--name has {len(name)} characters; the limit is {NAME_LENGTH}.")
        expires_at = None if days is None else _in(days)
        _, secret = services.create_token(
            user=user_named(email, create=create_user),
            name=name,
            scopes=list(dict.fromkeys(scopes)),
            expires_at=expires_at,
        )
        self.stdout.write(secret)


def _in(days: int) -> datetime:
    if not 1 <= days <= MOST_DAYS:
        raise CommandError(f"--days must be between 1 and {MOST_DAYS}, not {days}.")
    return database_time() + timedelta(days=days)
