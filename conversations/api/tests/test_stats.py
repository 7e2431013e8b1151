"""/stats/"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from conversations.models import Message
from testing.api_client import ApiClient

EMPTY = {"conversations": 0, "messages": 0, "prompt_tokens": 0, "completion_tokens": 0, "by_model": [], "by_day": []}


def assistant_message(model: str, prompt: int | None, completion: int | None) -> dict[str, Any]:
    tokens = {"prompt_tokens": prompt, "completion_tokens": completion}
    return {"role": "assistant", "content": "x", "model": model, **tokens}


def test_the_stats_of_an_empty_account_are_zero(as_either: ApiClient, alice: User) -> None:
    alice.refresh_from_db()
    joined = f"{alice.created_at:%Y-%m-%dT%H:%M:%S.%fZ}"
    assert as_either("GET", "stats/") == EMPTY | {"joined_at": joined}


def test_totals_by_model_and_by_day(as_either: ApiClient, as_bob: ApiClient) -> None:
    messages = [
        assistant_message("a", 1, 10),
        assistant_message("a", 2, None),
        assistant_message("b", 4, 40),
        {"role": "user", "content": "?"},
    ]
    as_either("POST", "conversations/", {"messages": messages}, status=201)
    trashed = as_either("POST", "conversations/", {"messages": messages}, status=201)["id"]
    as_either("DELETE", f"conversations/{trashed}/", status=204)
    as_bob("POST", "conversations/", {"messages": messages}, status=201)
    numbers = as_either("GET", "stats/")
    del numbers["joined_at"]
    assert numbers == {
        "conversations": 1,
        "messages": 4,
        "prompt_tokens": 7,
        "completion_tokens": 50,
        "by_model": [
            {"model": "a", "messages": 2, "prompt_tokens": 3, "completion_tokens": 10},
            {"model": "b", "messages": 1, "prompt_tokens": 4, "completion_tokens": 40},
        ],
        "by_day": [
            {"day": f"{datetime.now(UTC):%Y-%m-%d}", "messages": 4, "prompt_tokens": 7, "completion_tokens": 50}
        ],
    }


def test_days_are_those_of_the_requested_time_zone(as_alice: ApiClient) -> None:
    as_alice(
        "POST", "conversations/", {"messages": [assistant_message("a", 1, 1), assistant_message("a", 2, 2)]}, status=201
    )
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    first, second = Message.objects.order_by("seq")
    Message.objects.filter(id=first.id).update(created_at=midnight - timedelta(minutes=1))
    Message.objects.filter(id=second.id).update(created_at=midnight)
    days = [day["prompt_tokens"] for day in as_alice("GET", "stats/")["by_day"]]
    assert days == [1, 2]
    assert [day["prompt_tokens"] for day in as_alice("GET", "stats/?days=1")["by_day"]] == [2]
    (both,) = as_alice("GET", "stats/?tz=Asia/Tokyo")["by_day"]
    assert both["prompt_tokens"] == 3


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Etc/GMT%2B12", "EST"])
def test_a_known_time_zone_is_accepted(zone: str, as_alice: ApiClient) -> None:
    as_alice("POST", "conversations/", {"messages": [assistant_message("a", 1, 1)]}, status=201)
    assert len(as_alice("GET", f"stats/?tz={zone}")["by_day"]) == 1


@pytest.mark.parametrize(
    "zone", ["", "Nowhere/City", "Europe", "../../etc/passwd", "/etc/passwd", "%00", "x" * 300, "localtime", "%FF",
             "posix/Europe/Berlin", "right/Europe/Berlin", "UTC+1", "zone.tab", "utc';--", "."],
)  # fmt: skip
def test_an_unknown_time_zone_is_a_400(zone: str, as_alice: ApiClient) -> None:
    assert as_alice.refusal("GET", f"stats/?tz={zone}", status=400) == ("invalid", "tz")


@pytest.mark.parametrize("days", ["0", "-1", "367", "abc", "", "99999999999999999999"])
def test_days_out_of_range_are_a_400(days: str, as_alice: ApiClient) -> None:
    assert as_alice.refusal("GET", f"stats/?days={days}", status=400) == ("invalid", "days")
