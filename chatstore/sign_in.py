"""Other people's accounts to sign in with, as allauth wants them told."""

from typing import Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured


class Client(NamedTuple):
    """What a provider knows this service by."""

    id: str
    secret: str


def providers(*, google: Client, github: Client, oidc: Client, oidc_server: str, oidc_name: str) -> dict[str, Any]:
    """Those that have a client's id."""
    if oidc.id and not oidc_server:
        raise ImproperlyConfigured(
            "OIDC_CLIENT_ID needs an OIDC_SERVER_URL, such as https://id.example.org/realms/main."
        )
    app = {"provider_id": "oidc", "name": oidc_name, "settings": {"server_url": oidc_server}}
    known = {
        "google": (google, {"SCOPE": ["profile", "email"]}, {}),
        "github": (github, {"SCOPE": ["user:email"]}, {}),
        "openid_connect": (oidc, {}, app),
    }
    return {
        name: {**more, "OAUTH_PKCE_ENABLED": True, "APPS": [{"client_id": client.id, "secret": client.secret, **app}]}
        for name, (client, more, app) in known.items()
        if client.id
    }


def provider_apps(configured: dict[str, Any]) -> list[str]:
    return [f"allauth.socialaccount.providers.{name}" for name in configured]
