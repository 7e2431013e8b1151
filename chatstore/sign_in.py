"""The identity providers that people can sign in with, as allauth's settings."""

from typing import Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured


class Client(NamedTuple):
    """The OAuth client id and secret that an identity provider issued for this service."""

    id: str
    secret: str


def identity_providers(
    *, google: Client, github: Client, oidc: Client, oidc_server: str, oidc_name: str
) -> dict[str, Any]:
    """Return allauth's SOCIALACCOUNT_PROVIDERS, with the identity providers whose client has an id.

    Raises ImproperlyConfigured if the OpenID Connect client has no server.
    """
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


def identity_provider_apps(configured: dict[str, Any]) -> list[str]:
    """Return the Django apps of the identity providers in SOCIALACCOUNT_PROVIDERS."""
    return [f"allauth.socialaccount.providers.{name}" for name in configured]
