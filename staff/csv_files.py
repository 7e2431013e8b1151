"""CSV downloads in constant memory."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from django.http import StreamingHttpResponse

from chatstore.spreadsheets import to_csv

BATCH = 500  # rows that are sent at once


def stream_csv(name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """Return a download with the file name `name`. `rows` is read while the client reads."""
    response = StreamingHttpResponse(_encode(header, iter(rows)), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _encode(header: Sequence[str], rows: Iterator[Sequence[Any]]) -> Iterator[str]:
    yield to_csv([header])
    while batch := list(islice(rows, BATCH)):
        yield to_csv(batch)
