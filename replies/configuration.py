"""Names of models, each with the service that answers for it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True)
class Route:
    base_url: str = ""
    api_key: str = ""
    model: str = ""  # by its name there


FIELDS = [field.name for field in fields(Route)]


def configured_models(
    *, more: dict[str, dict[str, str]], keyless: Sequence[str] = (), **known: Route
) -> dict[str, dict[str, str]]:
    """The known ones that have a key, and `more`, which may change what is known of them."""
    routes = {name: route for name, route in known.items() if route.api_key or name in keyless}
    for name, changes in more.items():
        routes[name] = _route(name, changes, known.get(name, Route()))
    for name, route in routes.items():
        if not _is_address(route.base_url):
            raise ImproperlyConfigured(f"The model {name!r} has a base_url that is no http address.")
    return {name: asdict(route) for name, route in routes.items()}


def _route(name: str, changes: dict[str, str], known: Route) -> Route:
    if not name or "/" in name or name == "echo":
        raise ImproperlyConfigured(f"MODELS: {name!r} cannot be the name of a model.")
    if unknown := changes.keys() - FIELDS:
        raise ImproperlyConfigured(f"MODELS: {name!r} has no {min(unknown)!r}; it has {', '.join(FIELDS)}.")
    route = replace(known, **changes)
    if not route.base_url or not route.model:
        raise ImproperlyConfigured(f"MODELS: {name!r} needs a base_url and a model.")
    return route


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of a port that is no number, among others
        return False
