"""Past IsSignedIn somebody is there: a request, and viewsets, whose user is a User."""

from typing import Any, NoReturn

from django.utils.translation import gettext
from rest_framework import request, views, viewsets
from rest_framework.exceptions import APIException, NotFound
from rest_framework.permissions import SAFE_METHODS

from accounts import services
from accounts.models import ApiToken, User


class Request(request.Request):
    user: User
    auth: ApiToken | None


# Counts who is refused, as well: by itself DRF comes to its throttles only when all is permitted. (No docstring: the
# OpenAPI document would have it of every route.)
class APIView(views.APIView):
    request: Request

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        is_new = isinstance(request.user, User) and request.user.pk is None
        if is_new and hasattr(self, request.method.lower()):
            request.user = _stored(request)

    def perform_authentication(self, request: Any) -> None:
        try:
            super().perform_authentication(request)
        except APIException:
            self.check_throttles(request)
            raise

    def permission_denied(self, request: Any, *reason: Any, **more: Any) -> NoReturn:
        self.check_throttles(request)
        super().permission_denied(request, *reason, **more)


def _stored(request: Any) -> User:
    """Store the user whom X-Act-As names, on the first request that writes as them. Raises NotFound for one that
    reads. Called after permissions, limits and the method are checked, so a refused request stores nobody."""
    manager, id = request.user.managed_by, request.user.external_id
    if request.method in SAFE_METHODS:
        message = gettext("X-Act-As names nobody yet: the first request that writes makes the user '{id}'.")
        raise NotFound(message.format(id=id))
    return services.managed_user(manager=manager, external_id=id)


class ViewSet(APIView, viewsets.ViewSet):
    pass
