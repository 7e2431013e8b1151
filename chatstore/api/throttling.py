"""The limit of requests per minute."""

import ipaddress
from typing import Any

from django.conf import settings
from django.utils.translation import gettext
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from chatstore.errors import RateLimited
from chatstore.limits import CLIENT, Buckets

# About 100 bytes each. An attacker with more addresses than this cannot be stopped by a per-address limit anyway.
requests = Buckets(seconds=60, keys=100_000)


class RateThrottle(BaseThrottle):
    """Allows API_RATE requests a minute per user, or per IP address if there is no user. A back end can send
    ACT_AS_RATE requests a minute for all its users together. Raises RateLimited for further requests.

    The counts are in the memory of this process, so each worker counts its own requests. The web server also counts
    large responses for the client that is noted here."""

    def allow_request(self, request: Request, view: object) -> bool:
        owner = getattr(request.auth, "user_id", request.user.pk)
        if owner != request.user.pk:
            _count(("act_as", owner), settings.ACT_AS_RATE)
        client = request.user.pk or network(self.get_ident(request))
        request.META[CLIENT] = client
        _count(client, settings.API_RATE)
        return True


def network(address: Any) -> str:
    """Return the /64 network of an IPv6 address, because one customer owns all of it; other addresses unchanged."""
    try:
        parsed = ipaddress.ip_address(str(address))
    except ValueError:
        return str(address)
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else str(parsed)


def _count(key: Any, rate: int) -> None:
    if rate and (wait := requests.wait(key, rate)):
        raise RateLimited(gettext("{count} requests a minute").format(count=rate), wait=wait)
