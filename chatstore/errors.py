"""Errors that services raise. Their messages are for users; each API maps the class to a status code and a body."""

import math

from django.utils.translation import gettext


class ServiceError(Exception):
    """A request that a service rejects.

    `code` never changes. `field` is the path of the wrong value in the input, such as `messages[3].role`."""

    code = "refused"

    def __init__(self, message: str, *, code: str = "", field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.field = field


class NotFound(ServiceError):
    """An object that does not exist, or is not visible to this user."""

    code = "not_found"

    def __init__(self, what: str) -> None:
        super().__init__(gettext(f"There is no such {what}."))  # one sentence per noun: other languages inflect it


class Conflict(ServiceError):
    """A request that conflicts with the stored data."""

    code = "conflict"


class OnHold(ServiceError):
    """A deletion that a legal hold forbids."""

    code = "on_hold"


class Invalid(ServiceError):
    """Input with a wrong value."""

    code = "invalid"


class Forbidden(ServiceError):
    """An action for which the user or the token has no permission."""

    code = "permission_denied"


class RateLimited(ServiceError):
    """Too many requests. `wait` is the number of whole seconds until the next one is allowed."""

    code = "rate_limited"

    def __init__(self, limit: str, *, wait: float) -> None:
        self.wait = max(1, math.ceil(wait))
        super().__init__(
            gettext("Over the limit of {limit}. Try again in {wait} s.").format(limit=limit, wait=self.wait)
        )


class ProviderError(ServiceError):
    """A provider that cannot be reached, or whose response is unusable.

    `has_begun` is false if the provider did not get the request or refused it, so that it charges nothing."""

    code = "upstream_failed"

    def __init__(self, message: str, *, has_begun: bool = True) -> None:
        super().__init__(message)
        self.has_begun = has_begun
