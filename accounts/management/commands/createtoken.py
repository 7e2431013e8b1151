from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import services
from accounts.management.users import user_named
from accounts.models import ApiToken

NAME_LENGTH = ApiToken._meta.get_field("name").max_length or 0


class Command(BaseCommand):
    help = "Prints a new bearer token for a user, and nothing else."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--create-user", action="store_true", help="make the user where there is none")
        parser.add_argument("--name", default="command line", help="what lists call the token")

    def handle(self, *, email: str, create_user: bool, name: str, **options: Any) -> None:
        if len(name) > NAME_LENGTH:
            raise CommandError(f"--name has {len(name)} characters; the limit is {NAME_LENGTH}.")
        _, secret = services.create_token(user=user_named(email, create=create_user), name=name)
        self.stdout.write(secret)
