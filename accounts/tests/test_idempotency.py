"""An Idempotency-Key: the work behind it is carried out once."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import idempotency
from accounts.models import Idempotency, User
from chatstore.errors import Conflict
from chatstore.fingerprints import fingerprint

ASKED = fingerprint(["POST", "/conversations/", {"title": "Mine"}])
OTHER = fingerprint(["POST", "/conversations/", {"title": "Other"}])


class Work:
    """Counts how often it was done."""

    def __init__(self, result: Any = None) -> None:
        self.times, self.result = 0, result

    def __call__(self) -> Any:
        self.times += 1
        return self.result


def once(user: User, work: Any, *, key: str = "key", asked: bytes = ASKED) -> Any:
    return idempotency.run_idempotent(user=user, key=key, fingerprint=asked, work=work)


@pytest.mark.parametrize("result", [["one", "two"], {"a": [1, None]}, "text", 0, [], None])
def test_a_second_request_is_answered_what_the_first_was(alice: User, result: Any) -> None:
    work = Work(result)
    assert [once(alice, work), once(alice, work)] == [result, result]
    assert work.times == 1


def test_another_request_under_the_same_key_is_a_conflict(alice: User) -> None:
    work = Work()
    once(alice, work)
    with pytest.raises(Conflict) as refused:
        once(alice, work, asked=OTHER)
    assert refused.value.code == "idempotency_key_reused"
    assert work.times == 1


def test_another_key_or_another_user_is_another_request(alice: User, bob: User) -> None:
    work = Work()
    once(alice, work)
    once(alice, work, key="another")
    once(bob, work, asked=OTHER)
    assert work.times == 3


def test_a_failure_takes_the_key_back_with_what_was_done(alice: User) -> None:
    def fail() -> None:
        User.objects.create(email="half-done@example.com")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        once(alice, fail)
    assert not User.objects.filter(email="half-done@example.com").exists()
    assert not Idempotency.objects.exists()
    work = Work("done")
    assert once(alice, work) == "done"


def test_keys_are_kept_for_a_day(alice: User) -> None:
    work = Work()
    for key, age in (("old", timedelta(hours=25)), ("new", timedelta(hours=23))):
        once(alice, work, key=key)
        Idempotency.objects.filter(key=key).update(created_at=timezone.now() - age)
    assert idempotency.forget() == 1
    once(alice, work, key="new")
    assert work.times == 2
    once(alice, work, key="old")
    assert work.times == 3
