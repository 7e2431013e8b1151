"""Digests of histories, by which unchanged ones are found without reading their messages.

PostgreSQL computes the same digest from stored messages (`sql.history_digests`): the SHA-256 of a JSON text with the id
and the compared fields of each message. Equal digests mean equal histories. Different digests mean nothing: an id can
be written in several ways, and so can a number in JSON.
"""

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

import orjson

from conversations.drafts import MessageDraft, SyncProfile
from conversations.sql import LARGE_JSON, LARGE_TEXTS

from .merging import DEFAULTS, client_id


def text_bytes(drafts: Iterable[MessageDraft], profile: SyncProfile) -> int:
    """Return the size of the large compared texts in bytes."""
    names = profile.compared_fields.intersection(LARGE_TEXTS)
    texts: Iterable[Any] = (draft.get(name) for draft in drafts for name in names)
    return sum(len(text) if text.isascii() else len(text.encode()) for text in texts if text)


def digest(drafts: Sequence[MessageDraft], profile: SyncProfile) -> bytes:
    """Return the digest of a history that a client sent."""
    names = profile.fields_in_order
    defaults = [DEFAULTS[name] for name in names]
    rows = [[client_id(draft), *map(draft.get, names, defaults)] for draft in drafts]
    for index in [index for index, name in enumerate(names, start=1) if name in LARGE_JSON]:
        for row in rows:
            if row[index] is not None:
                row[index] = jsonb_text(row[index])
    return sha256(orjson.dumps(rows)).digest()


def jsonb_text(value: Any) -> str:
    """Return a JSON value as the text of PostgreSQL's type jsonb. Some numbers have another form there."""
    return json.dumps(_in_jsonb_order(value), ensure_ascii=False)


def _in_jsonb_order(value: Any) -> Any:
    """Return the value with the keys of objects as in jsonb: shorter ones first."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        return {key: _in_jsonb_order(value[key]) for key in keys}
    return list(map(_in_jsonb_order, value)) if isinstance(value, list) else value
