"""Which names lead where. `groq` is a routing name; `groq/some-model` asks the same provider for another model."""

from django.conf import settings

from .answers import Provider
from .echo import Echo
from .openai_compatible import OpenAICompatible


def names() -> list[str]:
    return [*settings.MODELS, Echo.name]


def default() -> Provider:
    """The first that is configured, else the echo."""
    return next(map(_configured, settings.MODELS), Echo())


def find(name: str) -> Provider | None:
    """Where nothing is configured the echo answers for every name: a client that asks for `groq` gets to work."""
    if name == Echo.name or not settings.MODELS:
        return Echo()
    routed, _, model = name.partition("/")
    return _configured(routed, name, model) if routed in settings.MODELS else None


def _configured(routed: str, name: str = "", model: str = "") -> Provider:
    known = settings.MODELS[routed]
    return OpenAICompatible(**known | {"name": name or routed, "model": model or known["model"]})
