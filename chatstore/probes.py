from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

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
    """This process answers."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """And its database answers it."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"status": "unavailable", "database": "unavailable"}, status=503)
    return JsonResponse({"status": "ok", "database": "ok"})
