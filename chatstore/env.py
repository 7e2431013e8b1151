"""Functions that read one setting from the environment or `.env` and convert it.

If a value is invalid, they raise ImproperlyConfigured with a message that names the setting. A setting that is empty or
missing has its default.
"""

import json
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

# If <NAME>_FILE is set, FileAwareEnv reads the value from the file with this path. Docker mounts secrets as files.
_env = environ.FileAwareEnv()
environ.Env.read_env(BASE_DIR / ".env")


def text(name: str, default: str = "") -> str:
    """Read a text without the spaces around it."""
    try:
        return str(_env.str(name, default=default)).strip() or default
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE cannot be read: {error.strerror}.") from None


def number(name: str, default: int, *, low: int = 0, high: int = 2**31 - 1) -> int:
    """Read a whole number from `low` to `high`."""
    raw = text(name)
    try:
        value = int(raw) if raw else default
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {raw!r}.") from None
    if not low <= value <= high:
        raise ImproperlyConfigured(f"{name} must be between {low} and {high}, not {value}.")
    return value


def flag(name: str, default: bool = False) -> bool:
    """Read a boolean."""
    raw = text(name).lower()
    if raw in ("", "1", "true", "yes", "on", "0", "false", "no", "off"):
        return raw in ("1", "true", "yes", "on") if raw else default
    raise ImproperlyConfigured(f"{name} must be true or false, not {raw!r}.")


def names(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """Read a comma-separated list."""
    return [item.strip() for item in text(name).split(",") if item.strip()] or list(default)


def numbers(name: str, *, high: int) -> dict[str, int]:
    """Read comma-separated pairs such as `support=365,draft=30`, with whole numbers from 0 to `high`."""
    pairs = [item.rpartition("=") for item in names(name)]
    for key, _, raw in pairs:
        if not key.strip() or not raw.strip().isascii() or not raw.strip().isdigit() or int(raw) > high:
            raise ImproperlyConfigured(f"{name} must be like support=365,draft=30, with numbers up to {high}.")
    return {key.strip(): int(raw) for key, _, raw in pairs}


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """Read one of the allowed texts."""
    value = text(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}, not {value!r}.")
    return value


def table(name: str) -> dict[str, dict[str, str]]:
    """Read a JSON object whose values are objects of strings. The default is an empty object."""
    try:
        rows = json.loads(text(name) or "{}")
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a JSON object: {error}.") from None
    if not isinstance(rows, dict) or not all(map(_is_row, rows.values())):
        raise ImproperlyConfigured(f"{name} must be a JSON object whose values are objects of strings.")
    return rows


def _is_row(row: object) -> bool:
    return isinstance(row, dict) and all(isinstance(value, str) for value in row.values())


def email(name: str, default: str) -> dict[str, object]:
    """Read a URL such as smtp+tls://user:password@mail.example.org:587. Return Django's EMAIL_ settings for it."""
    try:
        config = environ.Env.email_url_config(text(name, default))
    except (KeyError, ValueError, ImproperlyConfigured):
        raise ImproperlyConfigured(f"{name} must be like smtp+tls://user:password@host:587.") from None
    return {key: value for key, value in config.items() if key.startswith("EMAIL_")}


def folder(name: str, default: Path) -> Path:
    """Read a path. A relative path begins at the project's folder."""
    return (BASE_DIR / Path(text(name) or default).expanduser()).resolve()
