from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import services


class Command(BaseCommand):
    help = "Prints a new bearer token for a user, and nothing else."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--create-user", action="store_true", help="make the user where there is none")
        parser.add_argument("--name", default="command line", help="what lists call the token")

    def handle(self, *, email: str, create_user: bool, name: str, **options: Any) -> None:
        user = services.user_by_email(email, create=create_user)
        if user is None:
            raise CommandError(f"There is no user {email}. Add --create-user to make one.")
        _, secret = services.create_token(user=user, name=name)
        self.stdout.write(secret)
