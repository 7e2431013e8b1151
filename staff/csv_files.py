"""CSV downloads that are sent piece by piece."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.http import StreamingHttpResponse

from chatstore.spreadsheets import to_csv

Batch = Iterable[Iterable[Any]]


def stream_csv(name: str, header: Sequence[str], batches: Iterable[Batch]) -> StreamingHttpResponse:
    """Return a download with the file name `name`. It reads each batch of rows just before it sends it."""
    response = StreamingHttpResponse(_encode(header, batches), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _encode(header: Sequence[str], batches: Iterable[Batch]) -> Iterator[str]:
    yield to_csv([header])
    for batch in batches:
        yield to_csv(batch)
