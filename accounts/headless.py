"""allauth's description of its JSON routes, made once per process: each time anew, it takes 0.2 s of CPU that anybody
can ask for."""

from collections.abc import Callable
from functools import cache

from allauth.headless.spec.views import OpenAPIJSONView, OpenAPIYAMLView
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

View = type[OpenAPIJSONView] | type[OpenAPIYAMLView]


def described_once(view: View) -> Callable[[HttpRequest], HttpResponse]:
    @cache
    def described() -> tuple[bytes, dict[str, str]]:
        answer = view().get(HttpRequest())
        return answer.content, dict(answer.headers)

    @require_safe
    def answer(request: HttpRequest) -> HttpResponse:
        content, headers = described()
        return HttpResponse(content, headers=headers)

    return answer


urlpatterns = [
    path("openapi.json", described_once(OpenAPIJSONView)),
    path("openapi.yaml", described_once(OpenAPIYAMLView)),
]
