"""SocialAccountAdapter stores the data of an identity provider."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialLogin

from accounts.adapters import SocialAccountAdapter
from accounts.models import User

PICTURE = "https://id.example.org/alice.png"


def populated_login(verified: object = True, **data: Any) -> SocialLogin:
    address = EmailAddress(email="alice@example.com", verified=verified)
    login = SocialLogin(user=User(), account=SocialAccount(uid="1"), email_addresses=[address])
    SocialAccountAdapter().populate_user(None, login, {"email": address.email, "picture": PICTURE, **data})
    return login


@pytest.mark.parametrize("value", [False, "false", "False", "no", "", None, 0, "0"])
def test_an_address_is_verified_only_if_the_provider_says_true(value: object) -> None:
    """A person with a verified address gets access to the account with this address."""
    assert populated_login(value).email_addresses[0].verified is False


@pytest.mark.parametrize("value", [True, "true", "True"])
def test_the_word_true_counts_as_verified(value: object) -> None:
    assert populated_login(value).email_addresses[0].verified is True


def test_the_picture_is_stored() -> None:
    assert populated_login().user.image == PICTURE


@pytest.mark.parametrize(
    "picture", ["javascript:alert(1)", "http://id.example.org/a.png", "https://x/" + "a" * 2_000, 7]
)
def test_a_picture_that_cannot_be_displayed_is_ignored(picture: object) -> None:
    assert populated_login(picture=picture).user.image == ""


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"name": "Alice Example"}, "Alice Example"),
        ({"first_name": "Alice", "last_name": "Example"}, "Alice Example"),
        ({"first_name": "Alice", "name": None}, "Alice"),
        ({"name": "A" * 300}, "A" * 255),
        ({}, ""),
    ],
)
def test_the_full_name_is_stored(data: dict[str, Any], name: str) -> None:
    assert populated_login(**data).user.name == name
