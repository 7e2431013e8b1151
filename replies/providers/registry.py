"""Finds the provider for the model name that a client sends. The name `groq` selects the configured route `groq`; the
name `groq/some-model` selects the same route with the model `some-model`.

To add a provider that is not compatible with OpenAI:

1. Write its class in this package: a frozen dataclass with `name`, `model`, `input` and its own fields, all strings,
   and the method of `Provider`. Fields without a default are required. `__post_init__` raises ImproperlyConfigured for
   an invalid value.
2. Add the class to PROVIDERS under a new kind.
3. In MODELS, add a route with this `kind`."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

from django.conf import settings

from .anthropic_messages import AnthropicMessages
from .echo import Echo
from .openai_compatible import OpenAICompatible
from .provider import Provider

# provider classes by kind
PROVIDERS: dict[str, type[Any]] = {"openai": OpenAICompatible, "anthropic": AnthropicMessages}

# The modules that a kind imports at its first request.
LATE_IMPORTS = {"openai": "openai.resources.chat.completions", "anthropic": "anthropic.resources.messages"}


class Model(NamedTuple):
    """A model that clients can choose. None of its values is secret."""

    name: str
    kind: str
    model: str  # the provider's name for the model
    input: list[str]  # what it reads: text, image, file


def models() -> list[Model]:
    """Return the configured models in their order, and the echo. The first one is the default."""
    kinds = {name: route["kind"] for name, route in settings.MODELS.items()} | {Echo.name: Echo.name}
    providers = [*(build(name, route) for name, route in settings.MODELS.items()), Echo()]
    return [Model(row.name, kinds[row.name], row.model, inputs(row)) for row in providers]


def inputs(provider: Provider) -> list[str]:
    """Return what the model of this provider reads."""
    return [kind.strip() for kind in provider.input.split(",")]


def names() -> list[str]:
    return [*settings.MODELS, Echo.name]


def default() -> Provider:
    """Return the provider of the first configured model, or the echo if none is configured."""
    return next((build(name, route) for name, route in settings.MODELS.items()), Echo())


def find(name: str) -> Provider | None:
    """Return the provider for this name, or None if there is none.

    If no model is configured, return the echo for every name, so that a client that asks for `groq` gets an answer.
    """
    if name == Echo.name or not settings.MODELS:
        return Echo()
    routed, _, model = name.partition("/")
    if routed not in settings.MODELS:
        return None
    return build(name, settings.MODELS[routed] | ({"model": model} if model else {}))


def preload() -> None:
    """Import the packages of the configured kinds. The first reply would wait for this, for a second or more."""
    for kind in {route["kind"] for route in settings.MODELS.values()} & LATE_IMPORTS.keys():
        import_module(LATE_IMPORTS[kind])


def known(name: str) -> str:
    """Return the name if there is a provider for it. Otherwise return "", which stands for the default model."""
    return name if name and find(name) else ""


def build(name: str, route: Mapping[str, str]) -> Provider:
    """Return the provider of a route. Raises ImproperlyConfigured if a value of the route is invalid."""
    options = {field: value for field, value in route.items() if field != "kind"}
    provider: Provider = PROVIDERS[route["kind"]](name=name, **options)
    return provider
