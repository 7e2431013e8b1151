from django.conf import settings
from django.utils.translation import gettext
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from chatstore.errors import RateLimited
from chatstore.limits import Buckets

# 100 bytes each. Whoever asks from more addresses than that is none that a limit by address would stop.
requests = Buckets(seconds=60, keys=100_000)


class RateThrottle(BaseThrottle):
    """API_RATE requests a minute of each user, or of each address that is nobody's. In the memory of this process."""

    def allow_request(self, request: Request, view: object) -> bool:
        who = request.user.pk or self.get_ident(request)
        if settings.API_RATE and (wait := requests.wait(who, settings.API_RATE)):
            raise RateLimited(gettext("{count} requests a minute").format(count=settings.API_RATE), wait=wait)
        return True
