"""CSV downloads in constant memory, whose cells no spreadsheet takes for formulas."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.http import StreamingHttpResponse

FORMULA = tuple("=+-@\t\r\n")  # a text that begins with one of these can be run by a spreadsheet
BUFFERED = 64_000  # characters that are sent at once


def stream_csv(name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """Return a download with the file name `name`, encoded as UTF-8. `rows` is read while the client reads."""
    response = StreamingHttpResponse(_encode(header, rows), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _encode(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    pieces: list[str] = []
    writer = csv.writer(_Pieces(pieces))
    writer.writerow(header)
    size = 0
    for row in rows:
        writer.writerow([harmless(value) for value in row])
        size += len(pieces[-1])
        if size > BUFFERED:
            yield "".join(pieces)
            pieces.clear()
            size = 0
    yield "".join(pieces)


def harmless(value: Any) -> Any:
    """Return the value. A text that a spreadsheet could take for a formula gets an apostrophe in front of it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


class _Pieces:
    """The file that csv.writer writes to."""

    def __init__(self, pieces: list[str]) -> None:
        self.write = pieces.append
