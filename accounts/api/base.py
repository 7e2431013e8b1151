"""The request type and the base classes of API views. `IsSignedIn` runs before a view, so `request.user` is a User."""

from typing import Any, NoReturn

from django.utils.translation import gettext
from rest_framework import request, views, viewsets
from rest_framework.exceptions import APIException, NotFound

from accounts import services
from accounts.models import ApiToken, User


class Request(request.Request):
    user: User
    auth: ApiToken | None


# DRF checks the throttles last. This class also checks them for requests that authentication or permissions refuse.
# (This is a comment, because a docstring would be the description of every route in the OpenAPI document.)
class APIView(views.APIView):
    request: Request

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        is_new = isinstance(request.user, User) and request.user.pk is None
        method = request.method.lower()
        if is_new and method in self.http_method_names and hasattr(self, method):
            request.user = _create_managed_user(request)

    def perform_authentication(self, request: Any) -> None:
        try:
            super().perform_authentication(request)
        except APIException:
            self.check_throttles(request)
            raise

    def permission_denied(self, request: Any, *reason: Any, **more: Any) -> NoReturn:
        self.check_throttles(request)
        super().permission_denied(request, *reason, **more)


def _create_managed_user(request: Any) -> User:
    """Create the user whom X-Act-As names. Raise NotFound if the token does not have the scope `write`.

    The caller has checked the permissions, the limits and the method. A request that these checks refuse creates no
    user."""
    manager, id = request.user.managed_by, request.user.external_id
    if ApiToken.Scope.WRITE not in request.auth.scopes:
        message = gettext(
            "The user '{id}' of X-Act-As does not exist. Use a token with the scope 'write' to create this user."
        )
        raise NotFound(message.format(id=id))
    return services.managed_user(manager=manager, external_id=id)


class ViewSet(APIView, viewsets.ViewSet):
    pass
