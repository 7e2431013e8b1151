"""Inserts of many rows at once."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from chatstore.ids import new_id
from conversations.core import bulk
from conversations.models import Conversation, Message, Status

TIME = datetime(2026, 1, 2, 3, 4, 5, 678, UTC)
TEXTS = ["", "a", 'tab\t, line\n, \\N, \\., "quoted"', "北京 😀", None]
JSON: list[Any] = [None, [], {}, {"a": [1, 2.5, None, True, "\\\t\n"]}, "text", 0, False]


def conversation_of(user: User, **fields: Any) -> Conversation:
    return Conversation(user=user, title="", created_at=TIME, updated_at=TIME, active_at=TIME, **fields)


def message_of(conversation: Conversation, seq: int, **fields: Any) -> Message:
    fields = {"role": "user", "content": "a", "created_at": TIME, "updated_at": TIME} | fields
    return Message(conversation=conversation, user_id=conversation.user_id, seq=seq, **fields)


def test_every_kind_of_value_is_stored_as_the_orm_stores_it(alice: User) -> None:
    conversation = conversation_of(
        alice, tags=["a", "b,c", '"'], metadata={"é": 1}, last_seq=99, fingerprint=b"\0\t\n\\", archived_at=TIME
    )
    values = [(text, json) for text in TEXTS for json in JSON if text is not None or json is not None]
    messages = [
        message_of(conversation, seq, content=text, parts=json, status=Status.FAILED, prompt_tokens=seq)
        for seq, (text, json) in enumerate(values, start=1)
    ]
    assert stored(bulk.insert_each, conversation, messages) == stored(create_with_orm, conversation, messages)


def create_with_orm(rows: list[Any]) -> None:
    type(rows[0]).objects.bulk_create(rows)


def stored(insert: Any, conversation: Conversation, messages: list[Message]) -> list[Any]:
    """Insert the rows, read them, and remove them."""
    with transaction.atomic():
        insert([conversation])
        insert(messages)
        read = [list(table.objects.order_by("id").values()) for table in (Conversation, Message)]
        transaction.set_rollback(True)
    return read


def test_more_rows_than_one_batch_are_all_stored(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "BATCH", 3)
    bulk.insert_each([conversation_of(alice, external_id=str(number)) for number in range(7)])
    assert Conversation.objects.owned_by(alice).count() == 7
    bulk.insert_each([])


def test_an_id_that_is_taken_raises_djangos_integrity_error(alice: User) -> None:
    id = new_id()
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert_each([conversation_of(alice, id=id), conversation_of(alice, id=id)])
    assert not Conversation.objects.exists()
