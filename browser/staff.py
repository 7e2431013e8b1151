"""What the tests of the staff console share: the sizes of screens, signing in, and the search for problems."""

from allauth.mfa.totp.internal.auth import TOTP
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from accounts.models import User
from testing.admin import allow
from testing.authenticator import totp_code

from .site import PASSWORD, Site, create_account

SECRET = "JBSWY3DPEHPK3PXP"
WIDE, TABLET, PHONE = ({"width": width, "height": 900} for width in (1280, 800, 390))


def sign_in_staff(site: Site, *permissions: str, **fields: bool) -> None:
    """Sign in a member of the staff with a second factor, which the tests' site requires."""
    user = User.objects.get(email=create_account())
    User.objects.filter(pk=user.pk).update(is_staff=True, **fields)
    allow(user, *permissions)
    TOTP.activate(user, SECRET)
    site.sign_in(str(user.email), PASSWORD)
    site.fill(code=totp_code(SECRET))


def serious_problems(page: Page, *rules: str) -> list[str]:
    """Return the rules that the page breaks, with the elements. Checks all rules unless some are named.

    Django's widget that selects groups is left out.
    """
    options = {"runOnly": rules} if rules else {}
    return [
        f"{rule['id']}: {node['html']}"
        for rule in Axe().run(page, options=options).response["violations"]
        for node in rule["nodes"]
        if rule["impact"] in ("serious", "critical") and "help-tooltip" not in node["html"]
    ]
