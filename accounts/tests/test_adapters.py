"""What a provider says of a person, as it is taken over."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialLogin

from accounts.adapters import SocialAccountAdapter
from accounts.models import User

PICTURE = "https://id.example.org/alice.png"


def taken_over(verified: object = True, **said: Any) -> SocialLogin:
    address = EmailAddress(email="alice@example.com", verified=verified)
    login = SocialLogin(user=User(), account=SocialAccount(uid="1"), email_addresses=[address])
    SocialAccountAdapter().populate_user(None, login, {"email": address.email, "picture": PICTURE, **said})
    return login


@pytest.mark.parametrize("word", [False, "false", "False", "no", "", None, 0, "0"])
def test_only_true_is_verified(word: object) -> None:
    """An address that counts as verified opens the account which has it."""
    assert taken_over(word).email_addresses[0].verified is False


@pytest.mark.parametrize("word", [True, "true", "True"])
def test_some_say_it_in_words(word: object) -> None:
    assert taken_over(word).email_addresses[0].verified is True


def test_the_picture_is_kept() -> None:
    assert taken_over().user.image == PICTURE


@pytest.mark.parametrize(
    "picture", ["javascript:alert(1)", "http://id.example.org/a.png", "https://x/" + "a" * 2_000, 7]
)
def test_a_picture_that_cannot_be_shown_is_none(picture: object) -> None:
    assert taken_over(picture=picture).user.image == ""


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"name": "Alice Example"}, "Alice Example"),
        ({"first_name": "Alice", "last_name": "Example"}, "Alice Example"),
        ({"first_name": "Alice", "name": None}, "Alice"),
        ({"name": "A" * 300}, "A" * 255),
        ({}, ""),
    ],
)
def test_the_name_is_the_whole_one(said: dict[str, Any], name: str) -> None:
    assert taken_over(**said).user.name == name
