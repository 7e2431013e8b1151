"""`X-Expected-User`: a page names its user, and the session cookie can belong to another one by now."""

from accounts.models import User
from testing.api_client import ApiClient


def test_a_request_for_another_user_than_that_of_the_session_is_refused(alice: User, bob: User) -> None:
    as_bob = ApiClient(bob, by="session")
    expected = {"X_Expected_User": str(alice.pk)}
    assert as_bob.refusal("GET", "me/", status=401, **expected) == ("other_user", None)
    assert as_bob.refusal("POST", "conversations/", {"title": "Of Alice"}, status=401, **expected)[0] == "other_user"
    assert as_bob.refusal("PATCH", "me/", {"name": "Alice"}, status=401, **expected)[0] == "other_user"
    assert as_bob("GET", "conversations/")["results"] == []
    assert as_bob("GET", "me/")["name"] == bob.name


def test_a_request_for_the_user_of_the_session_passes(alice: User) -> None:
    assert ApiClient(alice, by="session")("GET", "me/", X_Expected_User=str(alice.pk))["id"] == str(alice.pk)


def test_junk_names_nobody(alice: User) -> None:
    as_alice = ApiClient(alice, by="session")
    for junk in ("", "*", str(alice.pk).upper() + "x", "\u00ff"):
        assert as_alice.refusal("GET", "me/", status=401, X_Expected_User=junk)[0] == "other_user"
