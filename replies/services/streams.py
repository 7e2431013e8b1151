"""Streamed answers to a history that the client sends. Nothing is stored.

Hazards: the provider is slow, stalls, breaks off or answers junk; the client disconnects.

No row is locked and no connection is held while an answer is streamed. The provider has PROVIDER_TIMEOUT seconds for
the whole answer. Errors before the first piece are raised by `start`, later ones while the stream is read. The caller
must close the stream: this ends the request to the provider.
"""

from collections.abc import Iterator

from django.conf import settings

from accounts.models import User
from chatstore.database import release_connection
from replies.providers.blocking import Piece, Pieces, blocking

from .exchanges import choose_provider


class Stream:
    """The pieces of an answer, of which the first one has arrived. Reading can raise ProviderError."""

    def __init__(self, pieces: Pieces) -> None:
        self.pieces = pieces
        self.first = next(pieces, None)

    def __iter__(self) -> Iterator[Piece]:
        """Yield the pieces, at most CONTENT_LIMIT bytes. Clients save the answer, and a longer one would be refused."""
        left = settings.CONTENT_LIMIT
        for piece in self._all():
            left -= len(piece.text.encode())
            if left < 0:
                return
            yield piece

    def _all(self) -> Iterator[Piece]:
        if self.first:
            yield self.first
        yield from self.pieces

    def close(self) -> None:
        self.pieces.close()


def start(*, user: User, messages: list[dict[str, str]], model: str) -> Stream:
    """Send the messages to a model, and return its answer when the first piece has arrived.

    Without `model`, the user's default model answers. Raises Invalid if the model is not configured, and ProviderError.
    Do not call this function in a transaction: it would stay open.
    """
    provider = choose_provider(user=user, model=model)
    release_connection()
    return Stream(blocking(provider).stream(messages))
