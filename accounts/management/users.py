from django.core.management.base import CommandError

from accounts import services
from accounts.models import User
from chatstore.errors import ServiceError


def get_user(email: str, *, create: bool) -> User:
    """Return the user with this address. With `create`, create a missing user. Raise CommandError if this fails."""
    try:
        user = services.find_user(email, create=create)
    except ServiceError as error:
        raise CommandError(f"Cannot create a user with the e-mail address {email!r}: {error.message}") from None
    if user is None:
        raise CommandError(f"There is no user {email}. Add --create-user to create one.")
    return user
