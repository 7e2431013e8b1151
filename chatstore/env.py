"""Typed readers over django-environ: a knob that holds junk stops the start with one line that names it."""

import json
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

# FileAwareEnv reads <NAME>_FILE before <NAME>: secrets mounted as files.
_env = environ.FileAwareEnv()
environ.Env.read_env(BASE_DIR / ".env")


def text(name: str, default: str = "") -> str:
    """An empty value is as good as none: `.env` files are full of `NAME=`."""
    try:
        return str(_env.str(name, default=default)).strip() or default
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE cannot be read: {error.strerror}.") from None


def number(name: str, default: int, *, low: int = 0, high: int = 2**31 - 1) -> int:
    raw = text(name)
    try:
        value = int(raw) if raw else default
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {raw!r}.") from None
    if not low <= value <= high:
        raise ImproperlyConfigured(f"{name} must be between {low} and {high}, not {value}.")
    return value


def flag(name: str, default: bool = False) -> bool:
    raw = text(name).lower()
    if raw in ("", "1", "true", "yes", "on", "0", "false", "no", "off"):
        return raw in ("1", "true", "yes", "on") if raw else default
    raise ImproperlyConfigured(f"{name} must be true or false, not {raw!r}.")


def names(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """A comma-separated list."""
    return [item.strip() for item in text(name).split(",") if item.strip()] or list(default)


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = text(name, default) or default
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}, not {value!r}.")
    return value


def table(name: str) -> dict[str, dict[str, str]]:
    """A JSON object of objects of texts."""
    try:
        rows = json.loads(text(name) or "{}")
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a JSON object: {error}.") from None
    if not isinstance(rows, dict) or not all(map(_is_row, rows.values())):
        raise ImproperlyConfigured(f"{name} must be a JSON object of objects, whose values are texts.")
    return rows


def _is_row(row: object) -> bool:
    return isinstance(row, dict) and all(isinstance(value, str) for value in row.values())


def email(name: str, default: str) -> dict[str, object]:
    """Django's EMAIL_ settings, from an address such as smtp+tls://user:password@mail.example.org:587."""
    try:
        config = environ.Env.email_url_config(text(name, default))
    except (KeyError, ValueError, ImproperlyConfigured):
        raise ImproperlyConfigured(f"{name} must be like smtp+tls://user:password@host:587.") from None
    return {key: value for key, value in config.items() if key.startswith("EMAIL_")}


def folder(name: str, default: Path) -> Path:
    """Read a path, relative to the project."""
    return (BASE_DIR / Path(text(name) or default).expanduser()).resolve()
