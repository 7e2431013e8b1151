"""Was this asked before? A digest of the request as it was made: the row as it is now may have been edited since."""

from hashlib import blake2b
from typing import Any

import orjson


def fingerprint(request: Any) -> bytes:
    """16 bytes of BLAKE2b over canonical JSON."""
    return blake2b(orjson.dumps(request, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def same(stored: bytes | memoryview | None, sent: bytes | memoryview | None) -> bool:
    return stored is not None and sent is not None and bytes(stored) == bytes(sent)
