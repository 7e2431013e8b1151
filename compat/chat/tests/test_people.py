"""The users in the answers of contract B: the names, addresses and pictures that its client shows."""

from typing import Any

import pytest

from accounts.models import User
from testing.api_client import ApiClient, acting_client_for, create_user

CHAT, HISTORY = "/api/chat", "/api/chat/history"


def people(caller: ApiClient) -> list[Any]:
    """Ask a question. Return each place of the answer, and of the history, that names the user."""
    answer = caller("POST", CHAT, {"message": "Hello"})
    return [answer["user"], answer["messages"][0]["user"], caller("GET", HISTORY)["user"]]


def test_a_user_has_a_name_an_address_and_no_picture(as_alice: ApiClient) -> None:
    (alice,) = {tuple(person.items()) for person in people(as_alice)}
    name, email, image = dict(alice).values()
    assert name.startswith("Alice") and email == f"{name.lower()}@example.com" and image is None


@pytest.mark.parametrize("image", ["", "https://example.com/ada.png"])
def test_the_picture_of_a_user_is_null_or_its_address(image: str, db: None) -> None:
    for person in people(ApiClient(create_user("Ada", image=image))):
        assert person == {"name": "Ada", "email": "ada@example.com", "image": image or None}


def test_the_address_is_the_name_of_a_user_without_a_name(db: None) -> None:
    for person in people(ApiClient(User.objects.create(email="ada@example.com"))):
        assert person == {"name": "ada@example.com", "email": "ada@example.com", "image": None}


def test_a_managed_user_is_named_by_its_id(back_end: User) -> None:
    carol = acting_client_for(back_end, "carol")
    for person in people(carol):
        assert person == {"name": "carol", "email": None, "image": None}
    assert [chat["userEmail"] for chat in carol("GET", HISTORY)["chats"]] == [None]


def test_the_history_is_read_in_one_statement_whatever_its_length(alice: User, django_assert_num_queries: Any) -> None:
    caller = ApiClient(alice)
    for count in (1, 5):
        for _ in range(count):
            caller("POST", CHAT, {"message": "Hello"})
        caller("GET", HISTORY)  # the first request of a token notes the time of its use
        with django_assert_num_queries(2):  # the token with its user, the chats
            caller("GET", HISTORY)
