"""Content negotiation for views with one kind of response."""

from typing import Any

from rest_framework import negotiation


class IgnoreAccept(negotiation.DefaultContentNegotiation):
    """Ignores the Accept header. A file or a stream of events needs no renderer; errors are JSON."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type
