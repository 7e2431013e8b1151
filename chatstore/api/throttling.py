"""The limit of requests per minute."""

from django.conf import settings
from django.utils.translation import gettext
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from chatstore.errors import RateLimited
from chatstore.limits import Buckets

# About 100 bytes each. An attacker with more addresses than this cannot be stopped by a per-address limit anyway.
requests = Buckets(seconds=60, keys=100_000)


class RateThrottle(BaseThrottle):
    """Allows API_RATE requests a minute per user; without a user, per IP address. Raises RateLimited beyond it.

    The counts are in the memory of this process, so each worker counts its own requests."""

    def allow_request(self, request: Request, view: object) -> bool:
        who = request.user.pk or self.get_ident(request)
        if settings.API_RATE and (wait := requests.wait(who, settings.API_RATE)):
            raise RateLimited(gettext("{count} requests a minute").format(count=settings.API_RATE), wait=wait)
        return True
