"""What a service refuses, in words that every surface can pass on. Each API maps these to its own status and body."""

import math

from django.utils.translation import gettext


class ServiceError(Exception):
    """`code` never changes; `field` is a path into the input, such as `messages[3].role`."""

    code = "refused"

    def __init__(self, message: str, *, code: str = "", field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.field = field


class NotFound(ServiceError):
    code = "not_found"

    def __init__(self, what: str) -> None:
        super().__init__(gettext(f"There is no such {what}."))  # whole: languages bend the words around it


class Conflict(ServiceError):
    code = "conflict"


class Invalid(ServiceError):
    code = "invalid"


class Forbidden(ServiceError):
    code = "permission_denied"


class RateLimited(ServiceError):
    """`wait` is how many whole seconds from now it may be asked again."""

    code = "rate_limited"

    def __init__(self, limit: str, *, wait: float) -> None:
        self.wait = max(1, math.ceil(wait))
        super().__init__(
            gettext("Over the limit of {limit}. Try again in {wait} s.").format(limit=limit, wait=self.wait)
        )


class ProviderError(ServiceError):
    """Somebody else's service, which was asked on the caller's behalf, did not answer as it should."""

    code = "upstream_failed"
