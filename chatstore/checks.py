"""Settings that are unsafe, or contradict each other, said before they do harm. Each has an id that never changes."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections


@register(Tags.security)
def debug_stays_at_home(**kwargs: Any) -> list[CheckMessage]:
    if not settings.DEBUG or settings.LOCAL:
        return []
    return [
        Error(
            "DEBUG is on where others can reach this service.",
            hint="DEBUG shows settings and data to whoever causes an error. Unset it, or run on loopback without a "
            "DATABASE_URL.",
            id="chatstore.E001",
        )
    ]


@register(Tags.security)
def https_or_loopback(**kwargs: Any) -> list[CheckMessage]:
    if settings.HTTPS or settings.HOST in settings.LOOPBACK:
        return []
    return [
        Warning(
            f"HTTPS is off and HOST {settings.HOST} is not loopback: passwords and tokens travel in the clear.",
            hint="Put a proxy that ends TLS in front, and leave HTTPS on.",
            id="chatstore.W002",
        )
    ]


@register(Tags.security)
def origins_agree(**kwargs: Any) -> list[CheckMessage]:
    """A front end elsewhere that may read must be able to write, and the other way round."""
    one_sided = set(settings.CORS_ALLOWED_ORIGINS) ^ set(settings.CSRF_TRUSTED_ORIGINS)
    if not settings.CORS_ALLOWED_ORIGINS or not one_sided:
        return []
    return [
        Error(
            f"CORS_ALLOWED_ORIGINS and CSRF_TRUSTED_ORIGINS differ by {', '.join(sorted(one_sided))}.",
            hint="A front end on an origin of its own is named in both, to the letter.",
            id="chatstore.E004",
        )
    ]


@register(Tags.database)
def search_folds_case(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    return [message for alias in databases or () for message in _folds_case(alias)]


def _folds_case(alias: str) -> list[CheckMessage]:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT 'Ä' ~* 'ä'")
        if cursor.fetchone() == (True,):
            return []
    return [
        Warning(
            "The database's locale is C: search does not see that Ä is ä, nor parts of Chinese words.",
            hint="Create the database with a UTF-8 locale, such as C.UTF-8, and move the data with pg_dump.",
            id="chatstore.W003",
        )
    ]
