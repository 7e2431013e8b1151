"""The shapes of the native API. Rules live in services; what is read comes from `querysets`, as JSON made by
PostgreSQL: for that these are its description in the schema (tests hold the two together)."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext
from rest_framework import serializers

from chatstore.api.fields import (
    LabelListField,
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    StrictJSONField,
    StrictSerializer,
    StrictUUIDField,
    UTCDateTimeField,
)
from conversations.models import Role, Status

TOKEN_COUNT: dict[str, Any] = {"min_value": 0, "max_value": 2**31 - 1, "allow_null": True, "required": False}


def short(length: int = 255) -> StrictCharField:
    return StrictCharField(max_length=length, allow_blank=True, required=False)


def external_id() -> StrictCharField:
    return StrictCharField(max_length=255, allow_null=True, required=False, help_text="The id its client gives it.")


class MessageSerializer(StrictSerializer):
    id = serializers.UUIDField(read_only=True)
    conversation_id = serializers.UUIDField(read_only=True)
    external_id = external_id()
    seq = serializers.IntegerField(read_only=True, help_text="Its place in the conversation; never changes.")
    parent_seq = serializers.IntegerField(read_only=True, allow_null=True, help_text="The message it answers.")
    is_active = serializers.BooleanField(read_only=True, help_text="On the branch that is shown.")
    role = serializers.ChoiceField(Role.choices)
    item_type = StrictCharField(max_length=64, required=False)
    content = StrictCharField(byte_limit=settings.CONTENT_LIMIT, allow_null=True, allow_blank=True, required=False)
    parts = StrictJSONField(dict, list, allow_null=True, required=False, help_text="Structured content.")
    reasoning = StrictCharField(byte_limit=settings.CONTENT_LIMIT, allow_blank=True, required=False)
    name = short()
    model = short()
    tool_calls = StrictJSONField(list, allow_null=True, required=False)
    tool_call_id = short()
    status = serializers.ChoiceField(Status.choices, required=False)
    finish_reason = short(64)
    error = StrictCharField(byte_limit=settings.METADATA_LIMIT, allow_blank=True, required=False)
    prompt_tokens = StrictIntegerField(**TOKEN_COUNT)
    completion_tokens = StrictIntegerField(**TOKEN_COUNT)
    usage = StrictJSONField(dict, byte_limit=settings.METADATA_LIMIT, allow_null=True, required=False)
    metadata = StrictJSONField(dict, byte_limit=settings.METADATA_LIMIT, required=False)
    created_at = UTCDateTimeField(read_only=True)
    updated_at = UTCDateTimeField(read_only=True)
    deleted_at = UTCDateTimeField(read_only=True, allow_null=True)
    reactions = serializers.ListField(child=serializers.CharField(), read_only=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not self.partial and all(attrs.get(name) is None for name in ("content", "parts", "tool_calls")):
            raise serializers.ValidationError({"content": [gettext("A message has content, parts or tool calls.")]})
        return attrs


class ChangedMessageSerializer(MessageSerializer):
    """What can be changed of a message: not its client's id, given once, nor who said it."""

    external_id = StrictCharField(read_only=True)
    role = serializers.ChoiceField(Role.choices, read_only=True)
    item_type = StrictCharField(read_only=True)


class TreeMessageSerializer(MessageSerializer):
    sibling_count = serializers.IntegerField(read_only=True, help_text="Live alternatives, itself among them.")


class SyncedMessageSerializer(TreeMessageSerializer):
    """A message of a history that is sent whole: `id`, where it was read from here, says which one it is."""

    id = StrictUUIDField(required=False)


class ConversationSerializer(StrictSerializer):
    id = serializers.UUIDField(read_only=True)
    external_id = external_id()
    source = serializers.CharField(  # type: ignore[assignment]  # a Field has a `source` of its own
        read_only=True, help_text="Which API made it."
    )
    title = StrictCharField(max_length=500, required=False)
    title_is_auto = serializers.BooleanField(read_only=True)
    model = short()
    notebooks = LabelListField(required=False)
    tags = LabelListField(required=False)
    metadata = StrictJSONField(dict, byte_limit=settings.METADATA_LIMIT, required=False)
    is_pinned = StrictBooleanField(required=False)
    is_archived = StrictBooleanField(required=False)
    archived_at = UTCDateTimeField(read_only=True, allow_null=True)
    deleted_at = UTCDateTimeField(read_only=True, allow_null=True)
    message_count = serializers.IntegerField(read_only=True, help_text="On the branch that is shown.")
    preview = serializers.CharField(read_only=True, help_text="The newest text, shortened.")
    prompt_tokens = serializers.IntegerField(read_only=True)
    completion_tokens = serializers.IntegerField(read_only=True)
    created_at = UTCDateTimeField(read_only=True)
    updated_at = UTCDateTimeField(read_only=True, help_text="Any change.")
    active_at = UTCDateTimeField(read_only=True, help_text="A message came; the order of lists.")


class NewConversationSerializer(ConversationSerializer):
    title = StrictCharField(max_length=500, required=False, allow_blank=True)
    messages: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=MessageSerializer(), max_length=settings.MESSAGES_LIMIT, required=False
    )


class ReactionSerializer(StrictSerializer):
    id = serializers.UUIDField(read_only=True)
    type = StrictCharField(max_length=32)
    created_at = UTCDateTimeField(read_only=True)


class BranchSerializer(StrictSerializer):
    message_id = StrictUUIDField(help_text="A message on the branch to show.")


class HistoryMessageSerializer(serializers.Serializer[Any]):
    role = serializers.ChoiceField(Role.choices)
    content = serializers.CharField(allow_null=True)
