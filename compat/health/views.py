from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.response import Response

from accounts.api.base import Request
from chatstore import health
from compat.contract import ContractView, ErrorAndDetail, error_and_detail

from . import schemas


@extend_schema(tags=["C and E: health"])
class RootHealthView(ContractView):
    error_body, error_schema = staticmethod(error_and_detail), ErrorAndDetail
    permission_classes = [AllowAny]
    authentication_classes = []
    throttle_classes = []

    @extend_schema(operation_id="root_health", responses={200: schemas.RootHealth, 503: schemas.RootHealth})
    def get(self, request: Request) -> Response:
        """Check that the service can read and write its database. Needs no authentication.

        `status` is `ok`, or `unavailable` with a 503. (Contract C's own server says `healthy`; its clients read the
        status code.)"""
        state = health.database_state()
        is_ok = state == health.OK
        return Response({"status": "ok" if is_ok else "unavailable", "database": state}, 200 if is_ok else 503)
