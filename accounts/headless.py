"""allauth's OpenAPI document, cached in each process. Building it takes 0.2 s of CPU, and anybody can request it."""

from collections.abc import Callable
from functools import cache

from allauth.headless.spec.views import OpenAPIJSONView, OpenAPIYAMLView
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

View = type[OpenAPIJSONView] | type[OpenAPIYAMLView]


def cache_document(view: View) -> Callable[[HttpRequest], HttpResponse]:
    """Return a view that builds the document once and then answers from memory."""

    @cache
    def build() -> tuple[bytes, dict[str, str]]:
        response = view().get(HttpRequest())
        return response.content, dict(response.headers)

    @require_safe
    def respond(request: HttpRequest) -> HttpResponse:
        content, headers = build()
        return HttpResponse(content, headers=headers)

    return respond


urlpatterns = [
    path("openapi.json", cache_document(OpenAPIJSONView)),
    path("openapi.yaml", cache_document(OpenAPIYAMLView)),
]
