"""Builds `settings.MODELS` from the built-in routes and the environment variable MODELS. The setting maps the name of
each model to its route.

A route is the configuration of one model, as plain data. Its `kind` names a provider class in
`replies.providers.registry`; its other values are the fields of that class."""

from collections.abc import Sequence
from dataclasses import MISSING, fields

from django.core.exceptions import ImproperlyConfigured

from replies.providers import PROVIDERS, Echo, build

Route = dict[str, str]
DEFAULT_KIND = "openai"


def configured_models(*, more: dict[str, Route], keyless: Sequence[str] = (), **known: Route) -> dict[str, Route]:
    """Return the routes by name: the `known` ones that have a key or are named in `keyless`, and all routes in `more`.

    A route in `more` can change single fields of the known route with the same name. Raises ImproperlyConfigured for an
    invalid name, kind or field.
    """
    routes = {name: route for name, route in known.items() if route["api_key"] or name in keyless}
    routes |= {name: _merged(known.get(name, {}), changes) for name, changes in more.items()}
    complete = {name: {"kind": DEFAULT_KIND} | route for name, route in routes.items()}
    for name, route in complete.items():
        _check_name(name)
        _check_kind(name, route["kind"])
        _check_fields(name, route)
        build(name, route)  # the class checks the values of its fields
    return complete


def _merged(known: Route, changes: Route) -> Route:
    """Return the known route with the changes. If the changes name another kind, return only the changes, because the
    known route has the fields of its own kind."""
    kind = known.get("kind", DEFAULT_KIND)
    return known | changes if changes.get("kind", kind) == kind else changes


def _check_name(name: str) -> None:
    if not name or "/" in name or name == Echo.name:
        raise ImproperlyConfigured(
            f"MODELS: {name!r} cannot be the name of a model. A name has no slash, and is not empty or {Echo.name!r}."
        )


def _check_kind(name: str, kind: str) -> None:
    if kind not in PROVIDERS:
        raise ImproperlyConfigured(
            f"MODELS: {name!r} has the unknown kind {kind!r}; it must be one of {', '.join(PROVIDERS)}."
        )


def _check_fields(name: str, route: Route) -> None:
    """Compare the route with the fields of its provider class. Fields without a default are required."""
    of_kind = [field for field in fields(PROVIDERS[route["kind"]]) if field.name != "name"]
    known = ["kind", *(field.name for field in of_kind)]
    if unknown := route.keys() - known:
        raise ImproperlyConfigured(
            f"MODELS: {name!r} has the unknown field {min(unknown)!r}; known are {', '.join(known)}."
        )
    for field in of_kind:
        if field.default is MISSING and not route.get(field.name):
            raise ImproperlyConfigured(f"MODELS: {name!r} needs a {field.name}.")
