"""The search page finds words in the messages and titles of all users, and rows by their ids."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import User
from conversations.services import conversations, messages
from testing.admin import allow, page_of
from testing.cast import create_conversation, message_draft
from testing.statements import executed_sql

SEARCH = "/admin/search/"


def found(client: Client, q: str, **parameters: str) -> Any:
    response = client.get(SEARCH, {"q": q, **parameters})
    assert response.status_code == 200
    return response.context["results"]


def texts(results: Any) -> list[str]:
    return [row["snippet"] for row in results.hits]


def test_words_are_found_in_the_messages_of_all_users_newest_first(
    client: Client, root: User, alice: User, bob: User
) -> None:
    create_conversation(alice, "The invoice is wrong")
    create_conversation(bob, "Where is my invoice?")
    create_conversation(bob, "Thanks")
    results = found(client, "invoices")
    assert texts(results) == ["Where is my <mark>invoice</mark>?", "The <mark>invoice</mark> is wrong"]
    assert [row["conversation"].user for row in results.hits] == [bob, alice]


def test_titles_are_found(client: Client, root: User, alice: User) -> None:
    chat = create_conversation(alice, "Hello", title="Refund of March")
    (title,) = found(client, "refund").titles
    assert (title["id"], title["snippet"]) == (chat.id, "<mark>Refund</mark> of March")


@pytest.mark.parametrize("owner", ["alice@example.com", '"ALICE@example.com"', "{id}"])
def test_the_owner_can_be_named(owner: str, client: Client, root: User, alice: User, bob: User) -> None:
    for user in (alice, bob):
        create_conversation(user, f"An invoice of {user.name}", title="Invoice")
    results = found(client, f"user:{owner.format(id=alice.id)} invoice")
    assert [row["conversation"].user for row in results.hits] == [alice]
    assert len(results.titles) == 1


def test_an_owner_who_does_not_exist_is_an_error(client: Client, root: User) -> None:
    assert found(client, "user:nobody@example.com invoice").error == "There is no user nobody@example.com."


def test_the_operators_of_the_api_work(client: Client, root: User, alice: User) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    drafts = [message_draft("An invoice", "assistant", model="m", tool_calls=[call]), message_draft("An invoice")]
    conversations.create(user=alice, fields={"tags": ["billing"]}, drafts=drafts)
    create_conversation(alice, "An invoice")
    sizes = [len(found(client, f"invoice {operator}").hits) for operator in
             ("", "role:assistant", "model:m", "tag:billing", "has:tool_calls", "before:2020-01-01")]  # fmt: skip
    assert sizes == [3, 1, 1, 2, 1, 0]


def test_a_row_is_found_by_its_id(client: Client, root: User, alice: User) -> None:
    chat = create_conversation(alice, "Hello", external_id="client-7")
    message = chat.messages.get()
    for id, row in ((chat.id, chat), (message.id, message), (alice.id, alice), ("Client-7", chat)):
        assert [each.url for each in found(client, str(id)).rows] == [page_of(row)]
    assert found(client, str(uuid4())).are_empty


def test_pages_follow_each_other_without_gaps_and_repetitions(client: Client, root: User, alice: User) -> None:
    chat = create_conversation(alice)
    messages.append(user=alice, conversation_id=chat.id, drafts=[message_draft(f"invoice {n}") for n in range(45)])
    seen: list[int] = []
    position: dict[str, str] = {}
    for _ in range(3):
        results = found(client, "invoice", **position)
        seen += [row["hit"].seq for row in results.hits]
        position = results.next
    assert (seen, position) == (list(range(45, 0, -1)), {})


def test_texts_in_results_are_escaped(client: Client, root: User, alice: User) -> None:
    create_conversation(alice, "<script>alert(1)</script> invoice", title="<b>invoice</b>")
    page = client.get(SEARCH, {"q": 'invoice "><script>alert(2)'}).text
    page += client.get(SEARCH, {"q": "invoice"}).text
    assert "<script>alert" not in page and "<b>invoice" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_messages_in_the_trash_are_not_found(client: Client, root: User, alice: User) -> None:
    chat = create_conversation(alice, "An invoice")
    conversations.trash(user=alice, conversation_id=chat.id)
    assert found(client, "invoice").are_empty


@pytest.mark.parametrize("parameters", [{"at": "x", "id": "y"}, {"at": "2026-01-01"}, {"id": str(uuid4())}])
def test_a_malformed_position_is_the_first_page(
    parameters: dict[str, str], client: Client, root: User, alice: User
) -> None:
    create_conversation(alice, "An invoice")
    assert len(found(client, "invoice", **parameters).hits) == 1


def test_the_number_of_statements_is_bounded(client: Client, root: User, alice: User) -> None:
    for number in range(30):
        create_conversation(alice, f"invoice {number}")
    with executed_sql() as statements:
        found(client, "invoice")
    assert len(statements) <= 8, statements


def test_staff_search_only_with_the_permission_to_read(client: Client, sam: User) -> None:
    client.force_login(sam)
    assert client.get(SEARCH).status_code == 403
    allow(sam, "view_message")
    assert client.get(SEARCH).status_code == 200


def test_characters_without_a_shape_are_shown_as_codes(client: Client, root: User, alice: User) -> None:
    create_conversation(alice, "An invoice \u202eecaf", title="Title \u202eecaf")
    page = client.get(SEARCH, {"q": "invoice"}).text
    assert "\u202e" not in page and page.count("U+202E") == 2


def test_users_without_a_name_cost_no_statements(client: Client, root: User, alice: User) -> None:
    counts = []
    for number in range(2):
        create_conversation(User.objects.create(managed_by=alice, external_id=f"u{number}"), "An invoice")
        with executed_sql() as statements:
            found(client, "invoice")
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_an_id_finds_only_what_the_member_of_staff_may_see(client: Client, sam: User, alice: User) -> None:
    chat = create_conversation(alice, "Hello", external_id="trip-1")
    ids = [chat.id, chat.messages.get().id, alice.id, "trip-1"]
    client.force_login(sam)
    allow(sam, "view_message")
    assert [len(found(client, str(id)).rows) for id in ids] == [0, 1, 0, 0]
    allow(sam, "view_conversation", "view_user")
    assert [len(found(client, str(id)).rows) for id in ids] == [1, 1, 1, 1]
