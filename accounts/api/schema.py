"""The authentication schemes of the OpenAPI document. drf-spectacular registers the subclasses on import."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

DESCRIPTION = """A token. A back end whose token has the scope `act_as` can send the header `X-Act-As` with any request.
Its value is the back end's own id for one of its users, 1 to 255 characters of UTF-8. The request then reads and
writes as this user, who belongs to this back end alone. The first request with a token that has the scope `write`
creates the user, even if the request only reads. A token without `write` creates no user and gets a 404 for an unknown
id."""


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "cs_…", "description": DESCRIPTION}


class AppScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.authentication.AppAuthentication"
    name = "app"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "X-Session-Token"}


class SingleUserScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Documents nothing: single-user mode needs no credentials, and it is off by default."""

    target_class = "accounts.authentication.SingleUserAuthentication"
    name: list[str] = []

    def get_security_definition(self, auto_schema: Any) -> list[Any]:
        return []

    def get_security_requirement(self, auto_schema: Any) -> None:  # type: ignore[override]
        return None


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
