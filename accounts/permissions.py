from typing import TYPE_CHECKING

from django.utils.translation import gettext
from rest_framework.permissions import SAFE_METHODS, BasePermission

from .models import ApiToken

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class IsSignedIn(BasePermission):
    """Allows signed-in users. A token also needs the scope `read` for a safe method, and `write` for any other."""

    def has_permission(self, request: "Request", view: "APIView") -> bool:
        if not request.user.is_authenticated:
            return False
        if not isinstance(request.auth, ApiToken):
            return True
        needed = ApiToken.Scope.READ if request.method in SAFE_METHODS else ApiToken.Scope.WRITE
        if needed in request.auth.scopes:
            return True
        self.message = gettext("This token does not have the scope '{scope}'.").format(scope=needed)
        return False
