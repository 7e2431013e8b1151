"""A stand-in for an authenticator app."""

import time

from allauth.mfa.totp.internal import auth

STEP = 30  # seconds
LEEWAY = 5


def totp_code(secret: str) -> str:
    """Return the current code. Wait for the next one if it is about to expire."""
    left = STEP - time.time() % STEP
    if left < LEEWAY:
        time.sleep(left)
    return auth.format_hotp_value(auth.hotp_value(secret, int(time.time()) // STEP))
