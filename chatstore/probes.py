from django.http import HttpRequest, HttpResponse, JsonResponse

from . import health
from .middleware import Handler


class ProbesMiddleware:
    """/livez and /readyz, ahead of everything else: a prober calls an address, over plain HTTP, and by a name that is
    none of ALLOWED_HOSTS."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        probe = {"/livez": live, "/readyz": ready}.get(request.path_info.rstrip("/"))
        return probe(request) if probe else self.get_response(request)


def live(request: HttpRequest) -> JsonResponse:
    """Answer that this process runs. Does not use the database."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """Answer whether the database can be read and written, after health.LIMIT seconds at most."""
    state = health.database_state()
    if state == health.OK:
        return JsonResponse({"status": "ok", "database": state})
    return JsonResponse({"status": "unavailable", "database": state}, status=503)
