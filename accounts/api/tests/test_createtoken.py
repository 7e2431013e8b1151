"""The command `manage.py createtoken`."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import ApiToken, User
from testing.api_client import ApiClient


def createtoken(*arguments: str) -> str:
    out = io.StringIO()
    call_command("createtoken", *arguments, stdout=out)
    return out.getvalue()


def test_createtoken_prints_only_the_token(alice: User) -> None:
    printed = createtoken("Alice@Example.com", "--name", "script")
    client = ApiClient()
    client.headers = {"Authorization": f"Bearer {printed.removesuffix(chr(10))}"}
    assert printed.count("\n") == 1
    assert client("GET", "me/")["id"] == str(alice.id)
    assert client("GET", "tokens/")[0]["name"] == "script"


@pytest.mark.django_db
def test_an_unknown_user_is_created_only_with_the_option_create_user() -> None:
    with pytest.raises(CommandError, match="no user x@example.com"):
        createtoken("x@example.com")
    createtoken("X@example.com", "--create-user")
    createtoken("x@Example.com", "--create-user")
    user = User.objects.get()
    assert user.email == "x@example.com" and not user.has_usable_password() and not user.is_staff
    assert ApiToken.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("email", ["junk", "", "a b@example.com", "x" * 300 + "@example.com"])
def test_an_invalid_address_is_refused_in_one_line(email: str) -> None:
    with pytest.raises(CommandError) as excinfo:
        createtoken(email, "--create-user")
    assert "\n" not in str(excinfo.value)
    assert not User.objects.exists()


def test_a_name_that_is_too_long_is_refused(alice: User) -> None:
    with pytest.raises(CommandError, match="100"):
        createtoken("alice@example.com", "--name", "x" * 101)
    assert not ApiToken.objects.exists()


def test_the_token_has_the_scopes_and_days_of_the_options(alice: User) -> None:
    createtoken("alice@example.com")
    createtoken("alice@example.com", "--scopes", "read", "act_as", "read", "--days", "2")
    default, limited = ApiToken.objects.order_by("id")
    assert (default.scopes, default.expires_at) == (["read", "write"], None)
    assert limited.scopes == ["read", "act_as"]
    assert limited.expires_at is not None
    assert timedelta(hours=47) < limited.expires_at - timezone.now() <= timedelta(days=2)


@pytest.mark.parametrize("option", [["--scopes", "admin"], ["--scopes"], ["--days", "0"], ["--days", "99999999999"]])
def test_invalid_options_are_refused(option: list[str], alice: User) -> None:
    with pytest.raises(CommandError):
        createtoken("alice@example.com", *option)
    assert not ApiToken.objects.exists()
