"""DELETE /me/: erasing an account with all its data."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from accounts.models import ApiToken, Idempotency, Preferences, User
from accounts.services import managed_user
from conversations.models import Conversation, Message, Reaction
from conversations.querysets import PURGING
from conversations.services import conversations, erase, messages, reactions, retention
from testing.api_client import AUTHENTICATION_KINDS, PASSWORD, ApiClient, acting_client, create_user, sign_in
from testing.cast import active_texts, create_conversation, message_draft
from testing.parallel import repeat, run_concurrently, run_while_locked

BODY = {"password": PASSWORD}


@pytest.fixture
def sam(db: None) -> User:
    return create_user("Sam", is_staff=True)


def signed_in(user: User, seconds_ago: float) -> ApiClient:
    api_client = ApiClient(user, by="session")
    sign_in(api_client.client, user, seconds_ago)
    return api_client


def create_rows_of_each_kind(user: User) -> None:
    chat, trashed = create_conversation(user, "Hi", "Hello"), create_conversation(user, "Old")
    reactions.react(user=user, message_id=chat.messages.get(seq=2).id, type="like")
    conversations.trash(user=user, conversation_id=trashed.id)
    messages.trash(user=user, message_id=chat.messages.get(seq=1).id)
    Conversation.objects.filter(id=create_conversation(user, "Purging").id).update(deleted_at=PURGING)
    Preferences.objects.create(user=user)
    EmailAddress.objects.create(user=user, email=user.email)
    Idempotency.objects.create(user=user, key="k", fingerprint=b"", result=[])
    ApiClient(user, by="session")
    Group.objects.create(name=f"of {user.name}").user_set.add(user)


def rows_of(user: User) -> dict[str, int]:
    """Count the rows of the user in the user table and in each table with a foreign key to it."""
    counts = {"account": User.objects.filter(pk=user.pk).count()}
    for relation in User._meta.get_fields(include_hidden=True):
        if (relation.one_to_many or relation.one_to_one) and relation.auto_created:
            model = relation.related_model
            counts[model._meta.db_table] = model._base_manager.filter(**{relation.field.name: user.pk}).count()
    return counts


@pytest.mark.parametrize("by", AUTHENTICATION_KINDS)
def test_erasing_deletes_all_rows_of_the_user_and_counts_them(by: str, alice: User, bob: User) -> None:
    for user in (alice, bob):
        create_rows_of_each_kind(user)
    before = rows_of(bob)
    api_client = ApiClient(alice, by=by)
    answer = api_client("DELETE", "me/", BODY)
    assert answer == {"users": 1, "conversations": 3, "messages": 4, "tokens": 1 if by == "token" else 0}
    assert set(rows_of(alice).values()) == {0}
    assert rows_of(bob) == before and before["message"] == 4 and before["account_emailaddress"] == 1
    assert [row.get_decoded()["_auth_user_id"] for row in Session.objects.all()] == [str(bob.pk)]
    api_client.refusal("GET", "me/", status=401)
    api_client.refusal("DELETE", "me/", BODY, status=401)


@pytest.mark.parametrize("by", AUTHENTICATION_KINDS)
@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"password": "wrong"}, 400, ("wrong_password", "password")),
        ({"password": ""}, 400, ("required", "password")),
        ({"password": None}, 400, ("required", "password")),
        ({"password": 5}, 400, ("invalid", "password")),
        ({"sure": True}, 400, ("unknown_field", "sure")),
        ({}, 403, ("reauthentication_required", None)),
    ],
)
def test_a_request_without_the_right_password_erases_nothing(
    by: str, body: Any, status: int, error: Any, alice: User
) -> None:
    chat = create_conversation(alice, "Hi")
    api_client = ApiClient(alice) if by == "token" else signed_in(alice, 301)
    assert api_client.refusal("DELETE", "me/", body, status=status) == error
    assert api_client("GET", "me/")["name"] == "Alice"
    assert active_texts(chat) == ["Hi"]


def test_a_session_that_signed_in_recently_needs_no_password(alice: User) -> None:
    alice.set_unusable_password()
    alice.save()
    signed_in(alice, 301).refusal("DELETE", "me/", {}, status=403)
    assert signed_in(alice, 290)("DELETE", "me/", {})["users"] == 1


def test_a_wrong_password_is_refused_in_a_recent_session_too(alice: User) -> None:
    signed_in(alice, 1).refusal("DELETE", "me/", {"password": "wrong"}, status=400)


def test_a_session_cookie_beside_a_token_does_not_replace_the_password(alice: User) -> None:
    api_client = signed_in(alice, 1)
    api_client.headers = ApiClient(alice).headers
    assert api_client.refusal("DELETE", "me/", {}, status=403)[0] == "reauthentication_required"


def test_the_sign_in_of_another_user_does_not_replace_the_password(alice: User, bob: User) -> None:
    api_client = signed_in(alice, 1)
    session = api_client.client.session
    session["account_authentication_methods_user"] = str(bob.pk)
    session.save()
    api_client.refusal("DELETE", "me/", {}, status=403)


def test_a_user_without_a_password_cannot_erase_with_a_token(alice: User) -> None:
    alice.set_unusable_password()
    alice.save()
    for password in ("", alice.password, "!"):
        ApiClient(alice).refusal("DELETE", "me/", {"password": password}, status=400)


def test_managed_users_are_erased_too_and_no_others(alice: User, bob: User) -> None:
    managed = create_user("Managed", managed_by=alice, external_id="a")
    theirs = create_user("Theirs", managed_by=managed, external_id="a")
    other = create_user("Other", managed_by=bob, external_id="a")
    chats = [create_conversation(user, "Hi", "Hello") for user in (alice, managed, theirs, other)]
    token = ApiClient(theirs)
    answer = ApiClient(alice)("DELETE", "me/", BODY)
    assert answer == {"users": 3, "conversations": 3, "messages": 6, "tokens": 2}
    assert set(User.objects.all()) == {bob, other}
    assert list(Conversation.objects.all()) == [chats[3]]
    token.refusal("GET", "me/", status=401)


def test_the_manager_of_an_erased_user_stays(alice: User, bob: User) -> None:
    User.objects.filter(pk=alice.pk).update(managed_by=bob)
    assert ApiClient(alice)("DELETE", "me/", BODY)["users"] == 1
    assert list(User.objects.all()) == [bob]


def test_users_who_manage_each_other_are_erased_together(alice: User, bob: User) -> None:
    User.objects.filter(pk=alice.pk).update(managed_by=bob)
    User.objects.filter(pk=bob.pk).update(managed_by=alice)
    assert ApiClient(alice)("DELETE", "me/", BODY)["users"] == 2


def test_staff_cannot_erase_themselves(sam: User) -> None:
    assert ApiClient(sam).refusal("DELETE", "me/", BODY, status=409) == ("conflict", None)
    assert User.objects.filter(pk=sam.pk, is_active=True).exists()


def test_a_user_who_manages_staff_cannot_be_erased_and_stays_active(alice: User, sam: User) -> None:
    User.objects.filter(pk=sam.pk).update(managed_by=alice)
    assert ApiClient(alice).refusal("DELETE", "me/", BODY, status=409) == ("conflict", None)
    assert User.objects.filter(is_active=True, erasing_at=None, managed_by=alice).get() == sam
    assert User.objects.filter(pk=alice.pk, is_active=True, erasing_at=None).exists()


def test_only_the_sessions_of_the_user_are_deleted(alice: User, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erase, "SESSIONS_PER_BATCH", 2)
    for user in (alice, bob, alice, bob, alice):
        ApiClient(user, by="session")
    erase.erase(user=alice)
    assert [row.get_decoded()["_auth_user_id"] for row in Session.objects.all()] == [str(bob.pk)] * 2


@pytest.mark.parametrize("count", [1, 250])
def test_any_number_of_conversations_is_erased(count: int, alice: User) -> None:
    for _ in range(count):
        create_conversation(alice, "Hi")
    assert erase.erase(user=alice)["conversations"] == count
    assert not Message.objects.exists() and not Reaction.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_rows_of_a_request_that_began_before_the_erasure_are_erased_too(alice: User) -> None:
    """The purge waits for the lock of that request. The same transaction has also created a second conversation."""
    chat = create_conversation(alice, "Hi")

    def write() -> None:
        messages.append(user=alice, conversation_id=chat.id, drafts=[message_draft("just in time")])
        create_conversation(alice, "another")

    erased = run_while_locked(write, lambda: erase.erase(user=alice))
    assert (erased["users"], erased["conversations"], erased["messages"]) == (1, 2, 3)
    assert not Message.objects.exists() and not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_rows_stored_after_the_purge_are_erased_too(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    come: list[Any] = []
    purge = erase._purge

    def purge_and_store(user: User) -> Any:
        erased = purge(user)
        if not come:
            come.append(create_conversation(user, "late"))
        return erased

    monkeypatch.setattr(erase, "_purge", purge_and_store)
    erased = erase.erase(user=alice)
    assert (erased["users"], erased["conversations"], erased["messages"]) == (1, 1, 1)
    assert not Conversation.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_housekeeping_finishes_an_erasure_that_new_rows_stopped(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    purge = erase._purge

    def purge_and_store(user: User) -> Any:
        erased = purge(user)
        create_conversation(user, "late")
        return erased

    api_client = ApiClient(alice)
    with monkeypatch.context() as patched:
        patched.setattr(erase, "_purge", purge_and_store)
        assert api_client.refusal("DELETE", "me/", BODY, status=409) == ("conflict", None)
        User.objects.update(erasing_at=timezone.now() - 2 * erase.ABANDONED)
        assert retention.housekeep()["users"] == 0
    api_client.refusal("GET", "me/", status=401)
    User.objects.update(erasing_at=timezone.now() - timedelta(hours=1))
    assert retention.housekeep()["users"] == 1
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_concurrent_erasures_delete_and_count_each_row_once(alice: User) -> None:
    for _ in range(5):
        create_conversation(alice, *map(str, range(50)))
    first, second = run_concurrently(*repeat(2, lambda index: erase.erase(user=alice)))
    assert (first["users"] + second["users"], first["messages"] + second["messages"]) == (1, 250)
    assert not User.objects.exists()


def test_unfinished_erasures_are_found_by_an_index(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT id FROM account WHERE erasing_at < now()")
        assert "user_erasing" in str(cursor.fetchall())


def test_all_tokens_of_an_erased_user_are_deleted(alice: User) -> None:
    for _ in range(2):
        ApiClient(alice, scopes=["read"])
    assert ApiClient(alice)("DELETE", "me/", BODY)["tokens"] == 3
    assert not ApiToken.objects.exists()


def test_only_the_back_end_can_erase_a_managed_user_without_a_password(back_end: User) -> None:
    user = managed_user(manager=back_end, external_id="u-1")
    own = ApiClient(user)
    assert own.refusal("DELETE", "me/", {}, status=403)[0] == "reauthentication_required"
    assert acting_client(back_end, "u-1")("DELETE", "me/", {})["users"] == 1
    own.refusal("GET", "me/", status=401)
