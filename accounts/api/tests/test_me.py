"""The route /me/."""

from typing import Any

import pytest

from accounts.models import User
from testing.api_client import ApiClient


def test_me_describes_the_user(as_alice: ApiClient, alice: User) -> None:
    alice.refresh_from_db()
    assert as_alice("GET", "me/") == {
        "id": str(alice.id),
        "email": "alice@example.com",
        "name": "Alice",
        "image": "",
        "is_staff": False,
        "has_password": True,
        "created_at": f"{alice.created_at:%Y-%m-%dT%H:%M:%S.%fZ}",
    }


def test_me_says_whether_the_user_has_a_password(as_either: ApiClient, alice: User) -> None:
    assert as_either("GET", "me/")["has_password"]
    alice.set_unusable_password()
    alice.save(update_fields=["password"])
    alone = ApiClient(alice)
    assert not alone("GET", "me/")["has_password"]


def test_only_name_and_image_can_be_changed(as_alice: ApiClient) -> None:
    before = as_alice("GET", "me/")
    sent = {**before, "name": " Al ", "image": "https://x.example/a.png", "is_staff": True, "email": "b@example.com"}
    changed = as_alice("PATCH", "me/", sent)
    assert changed == before | {"name": " Al ", "image": "https://x.example/a.png"} == as_alice("GET", "me/")
    assert as_alice("PATCH", "me/", {"image": ""}) == changed | {"image": ""}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": None}, "name"),
        ({"name": 5}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"image": "javascript:alert(1)"}, "image"),
        ({"image": "nowhere"}, "image"),
        ({"image": 5}, "image"),
        ({"image": None}, "image"),
        ({"image": "https://x.example/" + "x" * 2000}, "image"),
        ({"password": "x"}, "password"),
        ({"is_superuser": True}, "is_superuser"),
        ([], None),
        (None, None),
    ],
)
def test_invalid_values_are_refused(body: Any, field: str | None, as_alice: ApiClient) -> None:
    before = as_alice("GET", "me/")
    assert as_alice.refusal("PATCH", "me/", body, status=400)[1] == field
    assert as_alice("GET", "me/") == before
