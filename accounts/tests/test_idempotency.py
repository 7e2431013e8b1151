"""A request with an Idempotency-Key is carried out only once."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import idempotency
from accounts.models import Idempotency, User
from chatstore.errors import Conflict
from chatstore.fingerprints import fingerprint

REQUEST = fingerprint(["POST", "/conversations/", {"title": "Mine"}])
OTHER_REQUEST = fingerprint(["POST", "/conversations/", {"title": "Other"}])


class Work:
    """Work that counts its calls."""

    def __init__(self, result: Any = None) -> None:
        self.count, self.result = 0, result

    def __call__(self) -> Any:
        self.count += 1
        return self.result


def run(user: User, work: Any, *, key: str = "key", request: bytes = REQUEST) -> Any:
    return idempotency.run_idempotent(user=user, key=key, fingerprint=request, work=work)


@pytest.mark.parametrize("result", [["one", "two"], {"a": [1, None]}, "text", 0, [], None])
def test_a_replay_gets_the_result_of_the_first_request(alice: User, result: Any) -> None:
    work = Work(result)
    assert [run(alice, work), run(alice, work)] == [result, result]
    assert work.count == 1


def test_a_different_request_with_the_same_key_is_a_conflict(alice: User) -> None:
    work = Work()
    run(alice, work)
    with pytest.raises(Conflict) as excinfo:
        run(alice, work, request=OTHER_REQUEST)
    assert excinfo.value.code == "idempotency_key_reused"
    assert work.count == 1


def test_another_key_or_another_user_is_a_separate_request(alice: User, bob: User) -> None:
    work = Work()
    run(alice, work)
    run(alice, work, key="another")
    run(bob, work, request=OTHER_REQUEST)
    assert work.count == 3


def test_a_failure_rolls_back_the_work_and_releases_the_key(alice: User) -> None:
    def fail() -> None:
        User.objects.create(email="half-done@example.com")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(alice, fail)
    assert not User.objects.filter(email="half-done@example.com").exists()
    assert not Idempotency.objects.exists()
    work = Work("done")
    assert run(alice, work) == "done"


def test_keys_are_kept_for_24_hours(alice: User) -> None:
    work = Work()
    for key, age in (("old", timedelta(hours=25)), ("new", timedelta(hours=23))):
        run(alice, work, key=key)
        Idempotency.objects.filter(key=key).update(created_at=timezone.now() - age)
    assert idempotency.forget() == 1
    run(alice, work, key="new")
    assert work.count == 2
    run(alice, work, key="old")
    assert work.count == 3
