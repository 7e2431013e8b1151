"""The IP address of a client."""

from typing import cast

from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from rest_framework.request import Request


def address_of(request: HttpRequest | Request) -> str | None:
    """Return the IP address of the client, as PROXIES determines it, or None."""
    try:
        address = cast(str, get_adapter().get_client_ip(request))
    except PermissionDenied:  # allauth cannot determine it
        return None
    return address.partition("%")[0]  # PostgreSQL stores no zone of an IPv6 address
