"""Probes of load balancers and orchestrators: /livez and /readyz."""

from django.http import HttpRequest, HttpResponse, JsonResponse

from . import health
from .middleware import Handler


def find_probe(path: str) -> Handler | None:
    """Return the view of a probe, or None for any other path. The web server has a place for probes when it is full."""
    return {"/livez": live, "/readyz": ready}.get(path.rstrip("/"))


class ProbesMiddleware:
    """Answers /livez and /readyz before any other middleware. Probes use plain HTTP and an IP address:
    SecurityMiddleware would redirect them to HTTPS, and ALLOWED_HOSTS would refuse them."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        probe = find_probe(request.path_info)
        return probe(request) if probe else self.get_response(request)


def live(request: HttpRequest) -> JsonResponse:
    """Return 200: this process runs. Does not use the database."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """Return 200 if the database can be read and written, otherwise 503, after health.LIMIT seconds at most."""
    state = health.database_state()
    if state == health.OK:
        return JsonResponse({"status": "ok", "database": state})
    return JsonResponse({"status": "unavailable", "database": state}, status=503)
