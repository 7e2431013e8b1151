from django.core.management.base import CommandError

from accounts import services
from accounts.models import User
from chatstore.errors import ServiceError


def user_named(email: str, *, create: bool) -> User:
    """Whom a command is about, or one line that says why not."""
    try:
        user = services.user_by_email(email, create=create)
    except ServiceError as error:
        raise CommandError(f"{email!r} is no e-mail address to make a user with: {error.message}") from None
    if user is None:
        raise CommandError(f"There is no user {email}. Add --create-user to make one.")
    return user
