"""Response bodies."""

from typing import Any

import orjson
from rest_framework import renderers


class JSONRenderer(renderers.BaseRenderer):
    """Renders with orjson. `orjson.Fragment` includes JSON from the database without parsing it.

    Raises TypeError for a value of an unknown type. (Renderers of other packages write null.)"""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else orjson.dumps(data)
