"""System checks for settings that are unsafe or contradict each other. The ids never change."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connections


@register(Tags.security)
def check_debug(**kwargs: Any) -> list[CheckMessage]:
    """Refuse DEBUG if others can reach the service or its database."""
    if not settings.DEBUG or settings.LOCAL:
        return []
    return [
        Error(
            "DEBUG is on, and HOST is not loopback or DATABASE_URL is set.",
            hint="With DEBUG, error pages show settings and data to everybody who can reach the service. Unset DEBUG, "
            "or run on loopback without a DATABASE_URL.",
            id="chatstore.E001",
        )
    ]


@register(Tags.security)
def check_https(**kwargs: Any) -> list[CheckMessage]:
    """Warn if clients on other machines use plain HTTP."""
    if settings.HTTPS or settings.HOST in settings.LOOPBACK:
        return []
    return [
        Warning(
            f"HTTPS is off and HOST {settings.HOST} is not loopback: passwords and tokens are sent without encryption.",
            hint="Put a proxy that ends TLS in front of chatstore, and remove HTTPS=false.",
            id="chatstore.W002",
        )
    ]


@register(Tags.security)
def check_origins(**kwargs: Any) -> list[CheckMessage]:
    """If CORS_ALLOWED_ORIGINS is not empty, refuse an origin that is in only one of the two settings.

    Such a front end could read but not write, or write but not read. If CORS_ALLOWED_ORIGINS is empty, the origins in
    CSRF_TRUSTED_ORIGINS only send forms. In single-user mode, CORS_ALLOWED_ORIGINS alone is valid, because it allows
    pages without a cookie to write.
    """
    if settings.SINGLE_USER:
        return []
    one_sided = set(settings.CORS_ALLOWED_ORIGINS) ^ set(settings.CSRF_TRUSTED_ORIGINS)
    if not settings.CORS_ALLOWED_ORIGINS or not one_sided:
        return []
    return [
        Error(
            f"Only one of CORS_ALLOWED_ORIGINS and CSRF_TRUSTED_ORIGINS contains {', '.join(sorted(one_sided))}.",
            hint="Write the origin of each front end into both settings, in exactly the same form.",
            id="chatstore.E004",
        )
    ]


@register(Tags.security)
def check_single_user(**kwargs: Any) -> list[CheckMessage]:
    """Refuse single-user mode if others may be able to reach the service, or if SINGLE_USER is no e-mail address."""
    if not settings.SINGLE_USER:
        return []
    hint = (
        "In single-user mode, requests without credentials read and write everything of one user. It is for a trial on "
        "your own machine. Unset SINGLE_USER, or remove the setting that this error names."
    )
    return [
        Error(f"SINGLE_USER is set, and {problem}.", hint=hint, id="chatstore.E005")
        for problem in _single_user_problems()
    ]


def _single_user_problems() -> Iterator[str]:
    try:
        validate_email(settings.SINGLE_USER)
    except ValidationError:
        yield "it is no e-mail address"
    if not settings.LOCAL:
        yield "HOST is not loopback or DATABASE_URL is set"
    if settings.HTTPS or settings.PROXIES:
        yield "HTTPS or PROXIES is set, so there is a proxy in front"
    if others := sorted(set(settings.ALLOWED_HOSTS) - {*settings.LOOPBACK, "[::1]"}):
        yield f"ALLOWED_HOSTS contains {', '.join(others)}"
    if "null" in settings.CORS_ALLOWED_ORIGINS:
        yield "CORS_ALLOWED_ORIGINS contains null, the origin of every sandboxed page"


@register(Tags.database)
def check_locale(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Warn if search cannot fold the case of letters that are not ASCII."""
    return [message for alias in databases or () for message in _locale_messages(alias)]


def _locale_messages(alias: str) -> list[CheckMessage]:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT 'Ä' ~* 'ä'")
        if cursor.fetchone() == (True,):
            return []
    return [
        Warning(
            "The database's locale is C: search treats Ä and ä as different, and cannot find parts of Chinese words.",
            hint="Create the database with a UTF-8 locale, such as C.UTF-8, and move the data with pg_dump.",
            id="chatstore.W003",
        )
    ]
