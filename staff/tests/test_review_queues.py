"""The queues of the review: what is in them, who has an item, and which item comes next."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.db import connection
from django.db.models import BooleanField
from django.db.models.expressions import RawSQL
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from chatstore.ids import first_id
from conversations.models import Conversation, Message, Reaction
from conversations.services import conversations, reactions
from staff.models import Label, Review, SavedFilter
from staff.review import queues
from testing.admin import allow, audited, page_of
from testing.cast import create_conversation, create_user, dialogue, message_draft
from testing.parallel import repeat, run_concurrently
from testing.statements import executed_sql

REVIEW = "/admin/review/"


def dislike(user: User, *texts: str) -> list[Message]:
    """Create a conversation for each text, with an answer that the user dislikes. Return the answers."""
    answers = [create_conversation(user, "Why?", text, title=text).messages.get(seq=2) for text in texts]
    for answer in answers:
        reactions.react(user=user, message_id=answer.id, type="thumbs_down")
    return answers


def titles(client: Client, key: str, **query: str) -> list[str]:
    page = client.get(reverse("admin:review_queue", args=[key]), query)
    return [item["title"] for item in page.context["items"]]


def take_next(client: Client, key: str, **values: Any) -> str:
    """Return the address to which the console redirects."""
    address: str = client.post(reverse("admin:review_next", args=[key]), values).url  # type: ignore[attr-defined]
    return address


def judge(client: Client, message: Message, **values: Any) -> str:
    path = reverse("admin:review_verdict", args=[message.conversation_id, message.seq])
    address: str = client.post(path, {"verdict": "looked_at", **values}).url  # type: ignore[attr-defined]
    return address


def item_url(message: Message, key: str = "dislikes") -> str:
    return f"{page_of(message.conversation)}?at={message.seq}&queue={key}#message-{message.seq}"


def counts(client: Client) -> dict[str, Any]:
    context = client.get(REVIEW).context
    return {str(queue.name): count for queue, count in [*context["queues"], *context["saved"]]}


# What is in the queues


def test_the_queue_of_dislikes_has_the_disliked_messages_newest_first(client: Client, carla: User, alice: User) -> None:
    dislike(alice, "first", "second")
    liked = create_conversation(alice, "Why?", "liked").messages.get(seq=2)
    reactions.react(user=alice, message_id=liked.id, type="thumbs_up")
    assert titles(client, "dislikes") == ["second", "first"]


def test_the_queue_of_failed_replies_has_the_messages_that_failed(client: Client, carla: User, alice: User) -> None:
    drafts = [*dialogue("Why?", "well"), message_draft("", "assistant", status="failed", error="out of <memory>")]
    conversations.create(user=alice, fields={"title": "broken"}, drafts=drafts)
    create_conversation(alice, "Why?", "well")
    assert titles(client, "failed") == ["broken"]
    assert "out of &lt;memory&gt;" in client.get(reverse("admin:review_queue", args=["failed"])).text


def test_the_sample_has_one_of_a_hundred_replies_and_is_always_the_same(
    client: Client, carla: User, alice: User
) -> None:
    conversations.create(user=alice, fields={}, drafts=dialogue(*"ab" * 1_000))
    replies = Message.objects.filter(role="assistant")
    sampled = {id for id in replies.values_list("pk", flat=True) if id.int % 2**16 % 100 == 0}
    assert 1 <= len(sampled) <= 30
    for _ in range(2):
        page = client.get(reverse("admin:review_queue", args=["sample"]))
        assert {item["message"].pk for item in page.context["items"]} == sampled


def test_messages_in_the_trash_and_older_than_ninety_days_are_in_no_queue(
    client: Client, carla: User, alice: User
) -> None:
    trashed, old = dislike(alice, "trashed", "old")
    conversations.trash(user=alice, conversation_id=trashed.conversation_id)
    Reaction.objects.filter(message=old).update(id=first_id(timezone.now() - timedelta(days=91)))
    assert titles(client, "dislikes") == []


@pytest.mark.parametrize("verdict", ["looked_at", "a label"])
def test_an_item_leaves_the_queue_with_a_verdict_or_when_it_is_looked_at(
    verdict: str, client: Client, carla: User, alice: User, labels: dict[str, Label]
) -> None:
    [message] = dislike(alice, "one")
    judge(client, message, verdict=labels["Bad"].pk if verdict == "a label" else verdict)
    assert titles(client, "dislikes") == []
    judge(client, message, verdict="none")
    assert titles(client, "dislikes") == ["one"]


def test_a_message_that_several_reactions_dislike_is_in_the_queue_once(
    client: Client, carla: User, alice: User
) -> None:
    [message] = dislike(alice, "one")
    reactions.react(user=alice, message_id=message.id, type="dislike")
    assert titles(client, "dislikes") == ["one"]


def test_the_review_shows_the_counts_of_each_queue(client: Client, carla: User, alice: User) -> None:
    dislike(alice, "one", "two", "three")
    take_next(client, "dislikes")
    shown = counts(client)["Dislikes not yet looked at"]
    assert shown == (3, 2, 1) and shown.text == "3"
    assert counts(client)["Failed replies not yet looked at"] == (0, 0, 0)


def test_a_count_stops_at_a_limit(client: Client, carla: User, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "MOST", 2)
    dislike(alice, "one", "two", "three", "four")
    assert counts(client)["Dislikes not yet looked at"].text == "2+"


def test_an_unknown_queue_is_a_404(client: Client, carla: User) -> None:
    for key in ("other", "01a00000-0000-7000-8000-000000000000"):
        assert client.get(reverse("admin:review_queue", args=[key])).status_code == 404
        assert client.post(reverse("admin:review_next", args=[key])).status_code == 404


# Who has an item


def test_next_assigns_the_newest_item_and_opens_it(client: Client, carla: User, alice: User) -> None:
    _, second = dislike(alice, "first", "second")
    assert take_next(client, "dislikes") == item_url(second)
    assert Review.objects.get().assignee == carla
    assert audited(second) == [("assign", {"to": str(carla.pk)})]
    page = client.get(item_url(second).partition("#")[0]).text
    assert '<details class="judge" open>' in page.partition('id="review-2"')[2]
    assert "Next item" in page


def test_an_item_of_another_person_is_not_the_next_one(client: Client, carla: User, alice: User, root: User) -> None:
    first, second = dislike(alice, "first", "second")
    assert take_next(client, "dislikes") == item_url(second)
    client.force_login(carla)
    assert take_next(client, "dislikes") == item_url(first)
    assert titles(client, "dislikes", assigned="me") == ["first"]
    assert titles(client, "dislikes", assigned="nobody") == []
    assert len(titles(client, "dislikes")) == 2


def test_after_a_verdict_the_next_item_opens(client: Client, carla: User, alice: User) -> None:
    first, second = dislike(alice, "first", "second")
    take_next(client, "dislikes")
    assert judge(client, second, queue="dislikes", is_item="1") == item_url(first)
    answer = client.get(judge(client, first, queue="dislikes", is_item="1"))
    assert "Nothing is left to review in this queue." in answer.text
    assert "This was the last item of the queue." in answer.text


def test_a_verdict_on_another_message_stays_at_the_item(client: Client, carla: User, alice: User) -> None:
    _, second = dislike(alice, "first", "second")
    question = second.conversation.messages.get(seq=1)
    assert judge(client, question, queue="dislikes") == item_url(question)


def test_next_skips_an_item_which_stays_assigned(client: Client, carla: User, alice: User) -> None:
    first, second = dislike(alice, "first", "second")
    take_next(client, "dislikes")
    assert take_next(client, "dislikes", after=second.pk) == item_url(first)
    assert take_next(client, "dislikes", after=first.pk) == "/admin/review/queue/dislikes/"
    assert take_next(client, "dislikes") == item_url(second)
    assert len(client.get(REVIEW).context["mine"]) == 2


def test_an_item_can_be_given_back_and_assigned_to_a_colleague(
    client: Client, carla: User, alice: User, root: User, sam: User
) -> None:
    client.force_login(carla)
    [message] = dislike(alice, "one")
    item = f"{message.conversation_id}:{message.seq}"

    def assign(assignee: object) -> int:
        return client.post("/admin/review/assign/", {"item": item, "assignee": str(assignee)}).status_code

    for assignee, expected in (("me", carla), ("nobody", None), (root.pk, root)):
        assert assign(assignee) == 302
        assert Review.objects.get().assignee == expected
    assert assign(sam.pk) == assign("x") == assign(alice.pk) == 404  # they may not review
    assert audited(message)[-1][1]["to"] == str(root.pk)


def test_only_people_who_may_review_can_be_chosen(client: Client, carla: User, alice: User, sam: User) -> None:
    dislike(alice, "one")
    sam.groups.add(Group.objects.get(name="Support"))
    other = create_user("Other", is_staff=True)
    other.groups.add(Group.objects.get(name="Curators"))
    assert set(client.get(reverse("admin:review_queue", args=["dislikes"])).context["reviewers"]) == {carla, other}


@pytest.mark.django_db(transaction=True)
def test_two_people_never_get_the_same_next_item(alice: User) -> None:
    dislike(alice, *map(str, range(12)))
    people = [create_user(f"Reviewer {number}", is_staff=True) for number in range(4)]

    def take_three(number: int) -> list[Any]:
        request = RequestFactory().post("/")
        request.user = people[number]
        queue = queues.find_queue(request, "dislikes")
        taken, after = [], None
        for _ in range(3):
            row = queues.take_next(request, queue, after)
            assert row
            after = row.pk
            taken.append(after)
        return taken

    taken = sum(run_concurrently(*repeat(4, take_three)), [])
    assert len(taken) == len(set(taken))
    assert len(taken) == Review.objects.filter(assignee__in=people).count() == 12


def test_an_assignment_in_an_unknown_queue_is_a_404(client: Client, carla: User) -> None:
    form = {"assignee": "me", "from_queue": "1", "queue": "no/queue"}
    assert client.post(reverse("admin:review_assign"), form).status_code == 404


# Saved filters


def save_filter(client: Client, query: str, name: str = "Billing") -> Any:
    return client.post("/admin/review/filter/", {"name": name, "query": query}, follow=True)


def test_a_saved_filter_is_a_queue_of_the_conversations_that_the_list_shows(
    client: Client, carla: User, alice: User
) -> None:
    found = create_conversation(alice, "Hi", title="Invoice 7", model="gpt-4")
    create_conversation(alice, "Hi", title="Other")
    save_filter(client, "?model=gpt-4&state=live&p=3")
    saved = SavedFilter.objects.get()
    assert (saved.name, saved.query) == ("Billing", "model=gpt-4&state=live")
    assert counts(client)["Billing"] == (1, 1, 0)
    assert titles(client, str(saved.pk)) == ["Invoice 7"]
    assert take_next(client, str(saved.pk)) == f"{page_of(found)}?queue={saved.pk}"
    path = reverse("admin:review_verdict", args=[found.pk, 0])
    client.post(path, {"verdict": "looked_at", "queue": str(saved.pk), "is_item": "1"})
    assert counts(client)["Billing"] == (0, 0, 0)


@pytest.mark.parametrize("query", ["?state=%00", "?verdict=x", "?nothing=1", "?state=", "?user=x", "x"])
def test_a_saved_filter_that_is_not_valid_breaks_no_page(query: str, client: Client, carla: User, alice: User) -> None:
    create_conversation(alice, "Hi")
    save_filter(client, query)
    assert client.get(REVIEW).status_code == 200
    assert client.get(reverse("admin:review_queue", args=[SavedFilter.objects.get().pk])).status_code == 200


def test_a_saved_filter_has_no_search_words(client: Client, carla: User) -> None:
    assert "cannot have search words" in save_filter(client, "?q=invoice").text
    assert not SavedFilter.objects.exists()


def test_a_saved_filter_names_the_owner_by_id(client: Client, carla: User, alice: User) -> None:
    save_filter(client, "?user=Alice%40example.com&state=live")
    assert SavedFilter.objects.get().query == f"user={alice.pk}&state=live", "an erasure could not remove the address"


def test_saved_filters_are_counted_only_for_staff_who_may_see_conversations(
    client: Client, carla: User, alice: User, sam: User
) -> None:
    create_conversation(alice, "Hi")
    save_filter(client, "?state=live")
    allow(sam, "view_review")
    client.force_login(sam)
    assert "Billing" not in client.get(REVIEW).text
    allow(sam, "view_conversation")
    assert "Billing" in client.get(REVIEW).text


def test_a_saved_filter_needs_a_new_name_and_can_be_deleted(client: Client, carla: User) -> None:
    save_filter(client, "?state=trash")
    assert "already exists" in save_filter(client, "?state=live").text
    saved = SavedFilter.objects.get()
    client.post(reverse("admin:review_filter_delete", args=[saved.pk]))
    assert not SavedFilter.objects.exists()
    assert [action for action, _ in audited(saved)] == ["add", "delete"]


def test_saved_filters_that_take_too_long_have_no_count(
    client: Client, carla: User, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    dislike(alice, "one")
    save_filter(client, "?state=live")
    slow = RawSQL("pg_sleep(5) IS NOT NULL", [], output_field=BooleanField())
    monkeypatch.setattr(queues, "narrow_list", lambda *_: Conversation.objects.filter(slow))
    monkeypatch.setattr(queues, "TIME_LIMIT", 100)
    shown = counts(client)
    assert shown["Billing"] is None
    assert shown["Dislikes not yet looked at"] == (1, 1, 0)


def test_a_saved_filter_that_takes_too_long_has_no_items(
    client: Client, carla: User, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_conversation(alice, "Hi")
    save_filter(client, "?state=live")
    slow = RawSQL("pg_sleep(5) IS NOT NULL", [], output_field=BooleanField())
    monkeypatch.setattr(queues, "narrow_list", lambda *_: Conversation.objects.filter(slow))
    monkeypatch.setattr(queues, "TIME_LIMIT", 100)
    key = str(SavedFilter.objects.get().pk)
    assert "takes too long" in client.get(reverse("admin:review_queue", args=[key])).text
    assert "takes too long" in client.post(reverse("admin:review_next", args=[key]), follow=True).text


# Costs


def test_each_page_needs_at_most_eight_statements(client: Client, carla: User, alice: User) -> None:
    dislike(alice, *map(str, range(3)))
    for name in "abc":
        save_filter(client, "?state=live", name)
    take_next(client, "dislikes")
    saved = SavedFilter.objects.earliest("name")
    for path in (REVIEW, "/admin/review/queue/dislikes/", f"/admin/review/queue/{saved.pk}/"):
        client.get(path)
        with executed_sql() as statements:
            assert client.get(path).status_code == 200
        assert len(statements) <= 8, "\n".join(sql[:200] for sql in statements)


@pytest.mark.parametrize("key", ["dislikes", "failed", "sample"])
def test_a_queue_of_messages_reads_its_candidates_from_an_index(key: str, carla: User) -> None:
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        sql, params = queues.find_queue(request, key).items()[:50].query.sql_with_params()
        cursor.execute(f"EXPLAIN {sql}", params)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    index = {"dislikes": "reaction_dislikes", "failed": "message_failed", "sample": "message_sample"}[key]
    assert f" {index} " in plan, plan
