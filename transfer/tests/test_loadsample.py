"""The command `manage.py loadsample`, which fills the staff console for `make demo`."""

import io
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User
from conversations.models import Conversation, Message, Reaction

FILE = settings.BASE_DIR / "sample" / "console.jsonl"
pytestmark = pytest.mark.django_db


def load(file: object = FILE) -> str:
    out = io.StringIO()
    call_command("loadsample", str(file), stdout=out)
    return out.getvalue()


def stored_rows() -> list[object]:
    models = (User, Conversation, Message, Reaction)
    return [list(model.objects.order_by("pk").values()) for model in models]


def test_a_second_load_changes_nothing() -> None:
    assert load() == "console.jsonl: 45 loaded, 0 already stored\n"
    rows = stored_rows()
    assert load() == "console.jsonl: 0 loaded, 45 already stored\n"
    assert stored_rows() == rows


def test_the_sample_has_a_month_of_everything_that_staff_can_find() -> None:
    load()
    now = timezone.now()
    assert User.objects.count() >= 5 and Message.objects.values("model").distinct().count() >= 4
    assert Conversation.objects.filter(archived_at__isnull=False).exists()
    assert Conversation.objects.trashed().exists()
    for condition in (
        {"status": "failed"},
        {"status": "incomplete"},
        {"is_active": False},
        {"tool_calls__isnull": False},
        {"reasoning__gt": ""},
        {"parts__isnull": False},
    ):
        assert Message.objects.filter(**condition).exists(), condition
    for text in ("```", "|---", "$$", "شكرًا", "证明", "🍅"):
        assert Message.objects.filter(content__contains=text).exists(), text
    times = Message.objects.order_by("created_at").values_list("created_at", flat=True)
    assert now - times[0] > timedelta(days=28) and timedelta() < now - times.last() < timedelta(days=1)


def test_one_user_of_the_sample_was_unhappy_last_week() -> None:
    load()
    mara = User.objects.get(email="mara.lindqvist@example.org")
    last_week = timezone.now() - timedelta(days=7)
    assert mara.name == "Mara Lindqvist"
    assert Reaction.objects.filter(user=mara, type="thumbs_down", created_at__gt=last_week).count() >= 4
    assert not Reaction.objects.filter(user=mara, type="thumbs_down", created_at__lt=last_week).exists()
    assert Message.objects.filter(user=mara, status="failed", created_at__gt=last_week).exists()


def test_a_file_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(CommandError, match="nowhere"):
        load("nowhere.jsonl")
