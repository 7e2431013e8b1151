"""The providers for a caller that waits in a thread. The generator calls the asynchronous ones."""

from replies.providers.provider import Provider

from .answers import Answer, BlockingProvider, Piece, Pieces
from .echo import Echo
from .openai_compatible import OpenAICompatible

__all__ = ["Answer", "BlockingProvider", "Piece", "Pieces", "blocking"]


def blocking(provider: Provider) -> BlockingProvider:
    """Return a provider with the same name and route that blocks its caller."""
    fields = {name: getattr(provider, name, "") for name in ("name", "base_url", "model", "api_key")}
    return OpenAICompatible(**fields) if fields["base_url"] else Echo()
