"""Log entries for sign-ins, failed sign-ins and changes of credentials.

Entries contain user ids and IP addresses. They never contain secrets or the content of a form."""

import logging
from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from allauth.socialaccount import signals as social
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from .client_address import address_of

logger = logging.getLogger("accounts.sign_in")
CHANGES = {
    account.user_signed_up: "signed up",
    account.password_set: "set a password",
    account.password_changed: "changed the password",
    account.password_reset: "reset the password",
    account.email_confirmed: "verified an e-mail address",
    account.email_changed: "changed the e-mail address",
    social.social_account_added: "linked an account",
    social.social_account_removed: "unlinked an account",
    mfa.authenticator_added: "added a second factor",
    mfa.authenticator_removed: "removed a second factor",
    mfa.authenticator_reset: "renewed a second factor",
    user_logged_in: "signed in",
    user_logged_out: "signed out",
}


@receiver(list(CHANGES))
def log_change(signal: Any, request: HttpRequest | None = None, **sent: Any) -> None:
    user = sent.get("user") or getattr(sent.get("email_address") or sent.get("socialaccount"), "user", None)
    if user:
        logger.info("user %s %s from %s", user.pk, CHANGES[signal], _address(request))


@receiver(user_login_failed)
def log_failure(request: HttpRequest | None = None, **sent: Any) -> None:
    logger.warning("a sign-in failed from %s", _address(request))


def _address(request: HttpRequest | None) -> str:
    return address_of(request) or "an unknown address" if request else "a command"
