"""The actions of a person on the pages."""

from allauth.account.models import EmailAddress
from playwright.sync_api import Page

from accounts.models import User
from chatstore.ids import new_id
from testing.authenticator import totp_code
from testing.outbox import Outbox

PASSWORD = "four words to remember"


def new_address() -> str:
    return f"{new_id()}@example.com"


def create_account(*, verified: bool = True) -> str:
    """Create an account in the database, not on the pages, and return its e-mail address.

    Signing up on the pages would send a verification mail, and an address gets only one such mail in three minutes.
    """
    user = User.objects.create_user(new_address(), PASSWORD)
    EmailAddress.objects.create(user=user, email=user.email, verified=verified, primary=True)
    return user.email


class Site:
    """A person who uses the pages in a browser."""

    def __init__(self, page: Page, mails: Outbox) -> None:
        self.page = page
        self.mails = mails

    def fill(self, **fields: str) -> None:
        """Fill fields by their names, then press Enter."""
        for name, value in fields.items():
            self.page.locator(f"input[name={name}]:visible").fill(value)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        self.page.get_by_role("link", name=name, exact=True).click()

    def sign_in(self, email: str, password: str = PASSWORD) -> None:
        self.page.goto("/accounts/login/")
        self.fill(login=email, password=password)

    def sign_out(self) -> None:
        self.page.goto("/accounts/logout/")
        self.press("Sign Out")

    def sign_in_by_provider(self, sub: str) -> None:
        self.page.goto("/accounts/login/")
        self.follow("Example ID")
        self.press("Continue")
        self.page.get_by_placeholder("sub").fill(sub)
        self.press("Authorize")

    def open_with_password(self, path: str) -> None:
        """Open a page that asks for the password again, and enter it. The sign-in does not count.

        Use this once in a test: for the next five minutes, the pages do not ask."""
        self.page.goto(path)
        self.fill(password=PASSWORD)

    def activate_totp(self) -> str:
        """Set up an authenticator app and return its secret."""
        self.open_with_password("/accounts/2fa/totp/activate/")
        return self.activate_totp_here()

    def activate_totp_here(self) -> str:
        """Set up an authenticator app on the page that is open, and return its secret."""
        secret = self.page.locator("#authenticator_secret").input_value()
        self.fill(code=totp_code(secret))
        return secret

    def signed_in_as(self) -> str | None:
        """Ask the API with the browser's cookies. Return the e-mail address of the signed-in account, or None."""
        answer = self.page.context.request.get("/api/v1/me/")
        return answer.json()["email"] if answer.ok else None
