"""Past IsSignedIn somebody is there: a request, and viewsets, whose user is a User."""

from typing import Any, NoReturn

from rest_framework import request, views, viewsets
from rest_framework.exceptions import APIException

from accounts.models import ApiToken, User


class Request(request.Request):
    user: User
    auth: ApiToken | None


# Counts who is refused, as well: by itself DRF comes to its throttles only when all is permitted. (No docstring: the
# OpenAPI document would have it of every route.)
class APIView(views.APIView):
    request: Request

    def perform_authentication(self, request: Any) -> None:
        try:
            super().perform_authentication(request)
        except APIException:
            self.check_throttles(request)
            raise

    def permission_denied(self, request: Any, *reason: Any, **more: Any) -> NoReturn:
        self.check_throttles(request)
        super().permission_denied(request, *reason, **more)


class ViewSet(APIView, viewsets.ViewSet):
    pass
