"""Single-user mode: a request without credentials is from the user whom SINGLE_USER names.

What can go wrong: any program that reaches the port, and any web page that is open in a browser on this machine, can
send a request without credentials. So a request has to meet every condition of `find_refusal`:

* It comes from this machine, and no proxy has forwarded it.
* It names this machine in `Host`. A page that has pointed its own name to 127.0.0.1 (DNS rebinding) names itself.
* If a browser sent it, the page has our own origin or one in CORS_ALLOWED_ORIGINS. Browsers tell where a request comes
  from in `Origin` or `Sec-Fetch-Site`, also in a form and in a `no-cors` request. Programs such as curl send neither.

The mode applies to the API and the contracts. The admin and allauth's pages use Django's session and never ask here.
"""

import ipaddress

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext

from chatstore.middleware import SAME_SITE

from .models import User
from .services import find_user

CREDENTIALS = ("HTTP_AUTHORIZATION", "HTTP_X_SESSION_TOKEN")
PROXY_HEADERS = tuple(  # prefixes
    f"HTTP_{name}"
    for name in (
        "FORWARDED X_FORWARDED X_ORIGINAL_ X_REAL_IP X_CLIENT_IP X_CLUSTER_CLIENT_IP X_PROXYUSER_IP TRUE_CLIENT_IP CF_ "
        "CDN_LOOP VIA"
    ).split()
)


def has_credentials(request: HttpRequest) -> bool:
    """Return whether the request has credentials of any kind, valid or not."""
    return settings.SESSION_COOKIE_NAME in request.COOKIES or any(name in request.META for name in CREDENTIALS)


def find_active_user() -> User | None:
    """Return the user whom SINGLE_USER names, or None if this user does not exist or is deactivated."""
    user = find_user(settings.SINGLE_USER)
    return user if user and user.is_active else None


def find_refusal(request: HttpRequest) -> str:
    """Return why single-user mode does not admit the request, or an empty string if it does."""
    if not _is_loopback(request.META.get("REMOTE_ADDR", "")):
        return gettext("Single-user mode answers requests from this machine only.")
    if any(name.startswith(PROXY_HEADERS) for name in request.META):
        return gettext("Single-user mode refuses requests that a proxy has forwarded. Send a token.")
    host = request.META.get("HTTP_HOST", "").lower()
    if host not in _own_hosts():
        return gettext("Single-user mode answers at localhost only, with the port of this service.")
    if not _is_from_allowed_page(request, f"http://{host}"):
        return gettext("Single-user mode refuses pages whose origin is not in CORS_ALLOWED_ORIGINS.")
    return ""


def _is_loopback(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:  # empty: a Unix socket, so there is a proxy
        return False
    return (getattr(parsed, "ipv4_mapped", None) or parsed).is_loopback


def _own_hosts() -> set[str]:
    names = ("localhost", "127.0.0.1", "[::1]")
    return {f"{name}:{settings.PORT}" for name in names} | set(names if settings.PORT == 80 else ())


def _is_from_allowed_page(request: HttpRequest, own_origin: str) -> bool:
    """Return whether no page sent the request, or a page of our own origin or of an allowed one."""
    origin, site = request.META.get("HTTP_ORIGIN"), request.META.get("HTTP_SEC_FETCH_SITE", "none")
    if origin is None:
        return site in SAME_SITE
    # The origin "null" is that of every sandboxed frame.
    is_allowed = origin != "null" and origin in settings.CORS_ALLOWED_ORIGINS
    return is_allowed or (origin == own_origin and site in SAME_SITE)
