"""Each erasure leaves a receipt with exact numbers and without any content or name."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from accounts.services import create_token, managed_user
from chatstore.errors import Conflict, OnHold
from conversations.models import Conversation, ErasureReceipt
from conversations.services import conversations, erase, holds, retention
from testing.api_client import PASSWORD, ApiClient
from testing.cast import create_conversation
from testing.parallel import repeat, run_concurrently

COUNTS = ("conversations", "messages", "tokens", "sessions", "managed_users")


def counts(receipt: ErasureReceipt) -> tuple[int, ...]:
    return tuple(getattr(receipt, name) for name in COUNTS)


def receipt_of(user_id: Any) -> ErasureReceipt:
    return ErasureReceipt.objects.get(user_id=user_id)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "PURGE_BATCH", 2)


@pytest.mark.usefixtures("small_batches")
def test_a_user_who_erases_the_account_leaves_a_receipt(alice: User) -> None:
    create_conversation(alice, "Hi", "Hello", "Well?")
    create_conversation(alice, "Other")
    as_browser = ApiClient(alice, by="session")
    create_token(user=alice, name="laptop")
    as_browser("DELETE", "me/", {"password": PASSWORD})
    receipt = receipt_of(alice.pk)
    assert counts(receipt) == (2, 4, 1, 1, 0)
    assert (receipt.asked_by, receipt.conversation_id, receipt.manager_id) == (alice.pk, None, None)
    assert receipt.begun_at <= receipt.ended_at  # type: ignore[operator]


def test_a_receipt_contains_ids_times_and_numbers_only() -> None:
    kinds = {field.get_internal_type() for field in ErasureReceipt._meta.concrete_fields}
    assert kinds == {"UUIDField", "DateTimeField", "IntegerField", "BigIntegerField"}


def test_an_erasure_by_staff_names_the_member_of_staff(alice: User, sam: User) -> None:
    erase.erase(user=alice, asked_by=sam.pk)
    assert receipt_of(alice.pk).asked_by == sam.pk


def test_each_managed_user_leaves_a_receipt(back_end: User) -> None:
    child, other = (managed_user(manager=back_end, external_id=name) for name in ("child", "other"))
    create_conversation(child, "Hi", "Hello")
    manager_id = back_end.pk
    erase.erase(user=back_end)
    assert counts(receipt_of(manager_id)) == (0, 0, 0, 0, 2)
    assert counts(receipt_of(child.pk)) == (1, 2, 0, 0, 0)
    for user in (child, other):
        receipt = receipt_of(user.pk)
        assert receipt.manager_id == manager_id and receipt.ended_at


def test_an_erasure_that_is_refused_leaves_no_receipt(alice: User, sam: User) -> None:
    holds.place(user=alice, reason="Case 7", by=sam)
    with pytest.raises(OnHold):
        erase.erase(user=alice)
    with pytest.raises(Conflict):
        erase.erase(user=sam)
    assert not ErasureReceipt.objects.exists()


@pytest.mark.usefixtures("small_batches")
def test_housekeeping_continues_the_receipt_of_an_interrupted_erasure(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = create_conversation(alice, *map(str, range(6)))
    purge_batch = conversations._purge_batch

    def fail_later(*arguments: Any) -> int:
        if chat.messages.count() < 6:
            raise RuntimeError
        return purge_batch(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(conversations, "_purge_batch", fail_later)
        with pytest.raises(RuntimeError):
            erase.erase(user=alice)
    assert (receipt_of(alice.pk).messages, receipt_of(alice.pk).ended_at) == (2, None)
    User.objects.update(erasing_at=timezone.now() - timedelta(hours=1))
    retention.housekeep()
    receipt = receipt_of(alice.pk)
    assert counts(receipt)[:2] == (1, 6)
    assert receipt.asked_by == alice.pk and receipt.ended_at


@pytest.mark.usefixtures("small_batches")
@pytest.mark.django_db(transaction=True)
def test_concurrent_erasures_count_each_message_once(alice: User) -> None:
    for _ in range(3):
        create_conversation(alice, *map(str, range(30)))
    user_id = alice.pk
    run_concurrently(*repeat(3, lambda number: erase.erase(user=User(pk=user_id))))
    assert [counts(receipt)[:2] for receipt in ErasureReceipt.objects.filter(conversations__gt=0)] == [(3, 90)]


def test_a_deletion_for_good_by_staff_leaves_a_receipt(alice: User, sam: User) -> None:
    chat, other = create_conversation(alice, "Hi", "Hello"), create_conversation(alice, "Other")
    conversations.purge(user=alice, conversation_id=chat.id, asked_by=sam.pk)
    conversations.purge(user=alice, conversation_id=other.id)
    receipt = ErasureReceipt.objects.get()
    assert (receipt.user_id, receipt.conversation_id, receipt.asked_by) == (alice.pk, chat.id, sam.pk)
    assert counts(receipt) == (1, 2, 0, 0, 0) and receipt.ended_at


def test_housekeeping_ends_the_receipt_of_an_interrupted_deletion_for_good(
    alice: User, sam: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = create_conversation(alice, "Hi", "Hello")

    def fail(*arguments: Any) -> int:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(conversations, "_purge_batch", fail)
        with pytest.raises(RuntimeError):
            conversations.purge(user=alice, conversation_id=chat.id, asked_by=sam.pk)
    retention.housekeep()
    assert counts(ErasureReceipt.objects.get()) == (1, 2, 0, 0, 0)
    assert not Conversation.objects.exists()


def test_the_database_refuses_to_change_a_receipt_after_its_end_and_to_delete_one(alice: User) -> None:
    erase.erase(user=alice)
    with pytest.raises(IntegrityError), transaction.atomic():
        ErasureReceipt.objects.update(messages=0)
    with pytest.raises(IntegrityError), transaction.atomic():
        ErasureReceipt.objects.all().delete()
