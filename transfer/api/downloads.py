from collections.abc import Iterable

from django.http import StreamingHttpResponse
from django.utils import timezone

from transfer.exporters.conversations import FORMATS


def download(stream: Iterable[bytes], name: str, format: str) -> StreamingHttpResponse:
    """Return the response for an export, with a file name of `name` and the extension of the format.

    An attachment is never shown as a page of this site, whatever a user has written into it.
    """
    media_type, extension, _ = FORMATS[format]
    headers = {"Content-Disposition": f'attachment; filename="{name}.{extension}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(stream, content_type=media_type, headers=headers)


def download_archive(stream: Iterable[bytes]) -> StreamingHttpResponse:
    """Return the response for the ZIP file with all data of a user."""
    name = f"chatstore-{timezone.now():%Y-%m-%d}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(stream, content_type="application/zip", headers=headers)
