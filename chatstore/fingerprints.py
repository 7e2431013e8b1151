"""Digests of requests. They show whether a request repeats an earlier one.

A request is compared with the stored digest of the first request, not with the stored row, because the row may have
been edited in the meantime."""

from hashlib import blake2b
from typing import Any

import orjson


def fingerprint(request: Any) -> bytes:
    """Return the BLAKE2b digest, 16 bytes, of the request as canonical JSON."""
    return blake2b(orjson.dumps(request, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def same(stored: bytes | memoryview | None, sent: bytes | memoryview | None) -> bool:
    """Return True if both digests exist and are equal."""
    return stored is not None and sent is not None and bytes(stored) == bytes(sent)
