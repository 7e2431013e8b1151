"""The home page shows the usage of the service, and offers it as CSV."""

import csv
import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from chatstore.spreadsheets import harmless
from conversations import daily_usage
from conversations.services import erase, messages, reactions
from staff.charts import HEIGHT, draw_bars
from staff.models import AuditEvent
from testing.admin import allow
from testing.cast import create_conversation, message_draft
from testing.statements import executed_sql

HOME = "/admin/"


def download(client: Client, report: str) -> list[dict[str, str]]:
    response: Any = client.get(reverse("admin:usage_csv", args=[report]))
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(response.getvalue().decode())))


def test_the_page_shows_the_usage_of_the_last_thirty_days(client: Client, root: User, alice: User) -> None:
    chat = create_conversation(alice, "one", "two")
    draft = message_draft("No", "assistant", model="sonnet", status="failed", completion_tokens=1_234)
    messages.append(user=alice, conversation_id=chat.id, drafts=[draft])
    usage = client.get(HOME).context["usage"]
    charts = {chart["name"]: (chart["today"], chart["total"], len(chart["bars"])) for chart in usage["charts"]}
    assert charts["messages"] == (3, 3, 30)
    assert charts["failed"] == (1, 1, 30)
    assert charts["users"] == (1, None, 30)
    assert charts["tokens"] == (1_234, 1_234, 30)
    assert [(row["model"], row["messages"]) for row in usage["models"]] == [("sonnet", 1)]
    assert [(row["user"], row["messages"]) for row in usage["users"]] == [(alice, 3)]


@pytest.mark.parametrize(("asked", "days"), [("7", 7), ("90", 90), ("8", 30), ("x", 30), ("", 30)])
def test_the_page_offers_three_periods(client: Client, root: User, asked: str, days: int) -> None:
    assert len(client.get(f"{HOME}?days={asked}").context["usage"]["charts"][0]["bars"]) == days


def test_an_empty_service_has_a_page_too(client: Client, root: User) -> None:
    page = client.get(HOME).content.decode()
    assert "No model has answered in this period." in page


def test_the_number_of_statements_does_not_depend_on_what_is_stored(client: Client, root: User, alice: User) -> None:
    create_conversation(alice, "one")
    with executed_sql() as before:
        client.get(HOME)
    for number in range(30):
        create_conversation(alice, *[f"{number}"] * 3)
    with executed_sql() as after:
        client.get(HOME)
    assert len(after) == len(before) <= 8


def test_each_report_can_be_downloaded_as_csv(client: Client, root: User, alice: User) -> None:
    chat = create_conversation(alice, "one")
    messages.append(user=alice, conversation_id=chat.id, drafts=[message_draft("x", "assistant", model="=1+1")])
    reactions.react(user=alice, message_id=chat.messages.get(seq=2).id, type="thumbs_down")
    days, models, users = (download(client, report) for report in ("days", "models", "users"))
    assert (len(days), days[-1]["messages"], days[-1]["dislikes"]) == (30, "2", "1")
    assert [(row["model"], row["messages"]) for row in models] == [("'=1+1", "1")]
    assert [(row["user"], row["user_id"], row["messages"]) for row in users] == [(str(alice), str(alice.id), "2")]
    assert client.get(reverse("admin:usage_csv", args=["secrets"])).status_code == 404


def test_each_download_adds_an_event_to_the_audit(client: Client, root: User) -> None:
    client.get(reverse("admin:usage_csv", args=["users"]) + "?days=90")
    event = AuditEvent.objects.get()
    assert (event.actor, event.action, event.object_type) == (root.pk, "export", "conversations.dailyusage")
    assert event.details == {"report": "users", "days": 90}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_cell_that_could_be_a_formula_is_made_harmless(text: str) -> None:
    assert harmless(text) == f"'{text}"


def test_other_cells_stay_as_they_are() -> None:
    assert [harmless(value) for value in ("a=b", "", -1)] == ["a=b", "", -1]


def test_an_erased_user_disappears_from_the_page(client: Client, root: User, alice: User) -> None:
    create_conversation(alice, "one")
    erase.erase(user=alice)
    daily_usage.add_changes()
    assert client.get(HOME).context["usage"]["users"] == []


def test_staff_see_the_usage_only_with_the_permission(client: Client, sam: User) -> None:
    client.force_login(sam)
    url = reverse("admin:usage_csv", args=["days"])
    assert client.get(HOME).context["usage"] == {}
    assert client.get(url).status_code == 403
    allow(sam, "view_dailyusage")
    assert client.get(HOME).context["usage"]["charts"]
    assert client.get(url).status_code == 200


def test_the_highest_bar_is_as_high_as_the_chart_and_small_numbers_can_be_seen() -> None:
    bars = draw_bars([("a", 0), ("b", 1), ("c", 1_000_000)])
    assert [bar.height for bar in bars] == [0, 1, HEIGHT]
    assert draw_bars([]) == []
