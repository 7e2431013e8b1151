"""The tables in conversations/columns.py agree with the models and with the serializers."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Model
from django.utils import timezone

from accounts.models import User
from conversations import columns
from conversations.api.serializers import ConversationSerializer, MessageSerializer
from conversations.columns import Use
from conversations.models import Conversation, Message
from conversations.services import branches, conversations, messages, retention

TABLES = [(Conversation, columns.CONVERSATION), (Message, columns.MESSAGE)]
SERIALIZERS = [
    # Clients set `is_archived`. They can only read `archived_at`.
    (ConversationSerializer, columns.CONVERSATION, {"is_archived"}, {"is_archived"}),
    (MessageSerializer, columns.MESSAGE, {"reactions", "sibling_ids"}, set()),
]


@pytest.mark.parametrize(("model", "table"), TABLES)
def test_the_table_names_every_column_of_the_model(model: type[Model], table: dict[str, Use]) -> None:
    assert list(table) == [field.attname for field in model._meta.concrete_fields]


@pytest.mark.parametrize(("serializer", "table", "computed", "computed_writable"), SERIALIZERS)
def test_the_serializer_has_the_readable_and_writable_columns_of_the_table(
    serializer: type, table: dict[str, Use], computed: set[str], computed_writable: set[str]
) -> None:
    fields = serializer().fields
    assert set(fields) == {*columns.names(table, columns.READ), *computed}
    writable = {name for name, field in fields.items() if not field.read_only}
    assert writable == {*columns.names(table, columns.WRITE), *computed_writable}


@pytest.mark.parametrize(("model", "table"), TABLES)
def test_every_writable_column_can_also_be_read_and_imported(model: type[Model], table: dict[str, Use]) -> None:
    assert set(columns.names(table, columns.WRITE)) <= set(columns.names(table, columns.READ))
    assert set(columns.names(table, columns.WRITE)) <= set(columns.names(table, columns.LOAD))


def test_every_text_or_json_column_of_a_message_that_can_hold_user_text_is_cleared() -> None:
    kinds = {"TextField", "CharField", "JSONField", "BinaryField"}
    free = {field.attname for field in Message._meta.concrete_fields if field.get_internal_type() in kinds}
    kept = free - set(columns.names(columns.MESSAGE, columns.CLEAR))
    assert kept == {"role", "status"}


# For each column that clients can write, a value that is not its default.
FILLED: dict[str, Any] = {
    "external_id": "client-1",
    "role": "assistant",
    "item_type": "secret type",
    "content": "secret content",
    "parts": [{"text": "secret part"}],
    "reasoning": "secret reasoning",
    "name": "secret name",
    "model": "secret model",
    "tool_calls": [{"function": {"name": "secret tool"}}],
    "tool_call_id": "secret call",
    "status": "failed",
    "finish_reason": "secret reason",
    "error": "secret error",
    "prompt_tokens": 3,
    "completion_tokens": 4,
    "usage": {"secret": 1},
    "metadata": {"secret": True},
}


def filled_message(user: User) -> Message:
    assert set(FILLED) == set(columns.names(columns.MESSAGE, columns.WRITE))
    conversation, _ = conversations.create(user=user, fields={}, drafts=[FILLED])
    message: Message = conversation.messages.get()
    return message


def test_an_alternative_copies_the_columns_marked_copy_and_has_defaults_in_the_other_columns(alice: User) -> None:
    sibling = branches.branch(user=alice, message_id=filled_message(alice).id, changes={})
    copied = columns.names(columns.MESSAGE, columns.COPY)
    others = tuple(set(FILLED) - set(copied))
    assert {name: getattr(sibling, name) for name in copied} == {name: FILLED[name] for name in copied}
    assert {name: getattr(sibling, name) for name in others} == columns.defaults(Message, others)


def test_a_forgotten_message_contains_no_user_text(alice: User) -> None:
    message = filled_message(alice)
    messages.trash(user=alice, message_id=message.id)
    Message.objects.update(deleted_at=timezone.now() - timedelta(days=365))
    retention.housekeep()
    stored = Message.objects.values().get()
    cleared = columns.names(columns.MESSAGE, columns.CLEAR)
    assert {name: stored[name] for name in cleared} == columns.defaults(Message, cleared) | {"content": ""}
    assert "secret" not in str(stored)
