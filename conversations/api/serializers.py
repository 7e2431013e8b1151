"""The request and response bodies of the native API.

They validate the form of requests; services apply the rules. Most responses do not pass through them: PostgreSQL writes
the JSON (see `querysets`), and these classes describe it for the OpenAPI document. Tests compare the two."""

from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext
from rest_framework import serializers

from chatstore.api.fields import (
    LabelListField,
    Many,
    ShortList,
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    StrictJSONField,
    StrictSerializer,
    StrictUUIDField,
    UTCDateTimeField,
)
from conversations.models import Role, Status
from conversations.services.bulk_changes import Action

from .model_options import ModelOptionsSerializer

BULK_LIMIT = 100  # conversations in a request
REACTION_LENGTH = 32  # characters of a reaction, at most
TOKEN_COUNT: dict[str, Any] = {"min_value": 0, "max_value": 2**31 - 1, "allow_null": True, "required": False}


def short(length: int = 255) -> StrictCharField:
    return StrictCharField(max_length=length, allow_blank=True, required=False)


def external_id() -> StrictCharField:
    return StrictCharField(max_length=255, allow_null=True, required=False, help_text="The client's own id.")


class MessageSerializer(StrictSerializer):
    """A message. It has `content`, `parts` or `tool_calls`. Unknown fields are errors."""

    needs_one_of = ("content", "parts", "tool_calls")

    id = serializers.UUIDField(read_only=True)
    conversation_id = serializers.UUIDField(read_only=True)
    external_id = external_id()
    seq = serializers.IntegerField(read_only=True, help_text="The position in the conversation. It never changes.")
    parent_seq = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="The `seq` of the message that this one answers."
    )
    is_active = serializers.BooleanField(
        read_only=True, help_text="True if the message is on the active path, the branch that is displayed."
    )
    role = serializers.ChoiceField(Role.choices)
    item_type = StrictCharField(max_length=64, required=False)
    content = StrictCharField(byte_limit=settings.CONTENT_LIMIT, allow_null=True, allow_blank=True, required=False)
    parts = StrictJSONField(
        dict,
        list,
        byte_limit=settings.PARTS_LIMIT,
        allow_null=True,
        required=False,
        help_text="Structured content, as any JSON object or array.",
    )
    reasoning = StrictCharField(byte_limit=settings.CONTENT_LIMIT, allow_blank=True, required=False)
    name = short()
    model = short()
    tool_calls = StrictJSONField(
        list,
        byte_limit=settings.PARTS_LIMIT,
        allow_null=True,
        required=False,
    )
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
    sibling_ids = serializers.ListField(
        child=serializers.UUIDField(),
        read_only=True,
        help_text="The ids of this message and of its alternatives, in the order of `seq`. The list is empty if there "
        "are no alternatives. It has at most 100 alternatives before this message and 100 after it.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not self.partial and all(attrs.get(name) is None for name in self.needs_one_of):
            message = gettext("A message must have content, parts or tool calls.")
            raise serializers.ValidationError({"content": [message]})
        return attrs


class ChangedMessageSerializer(MessageSerializer):
    """The changes to a message. `external_id`, `role` and `item_type` are set only when the message is created.

    The message must keep `content`, `parts` or `tool_calls`."""

    external_id = StrictCharField(read_only=True)
    role = serializers.ChoiceField(Role.choices, read_only=True)
    item_type = StrictCharField(read_only=True)


class TreeMessageSerializer(MessageSerializer):
    """A message in a list of all branches."""

    sibling_count = serializers.IntegerField(
        read_only=True,
        help_text="The number of alternatives at this place, including this message. At most 201 are counted.",
    )


class SyncedMessageSerializer(TreeMessageSerializer):
    """A message in a history that the client sends as a whole. Send the `id` if the message was read from chatstore."""

    id = StrictUUIDField(required=False)


class ConversationSerializer(StrictSerializer):
    """A conversation, without its messages. Unknown fields are errors."""

    id = serializers.UUIDField(read_only=True)
    external_id = external_id()
    source = serializers.CharField(  # type: ignore[assignment]  # a Field has a `source` of its own
        read_only=True, help_text="The API that created the conversation."
    )
    title = StrictCharField(max_length=500, required=False)
    title_is_auto = serializers.BooleanField(read_only=True)
    model = short()
    notebooks = LabelListField(required=False)
    tags = LabelListField(required=False)
    metadata = StrictJSONField(dict, byte_limit=settings.METADATA_LIMIT, required=False)
    model_options = ModelOptionsSerializer(required=False, help_text="The options of its replies.")
    is_pinned = StrictBooleanField(required=False)
    is_archived = StrictBooleanField(required=False)
    archived_at = UTCDateTimeField(read_only=True, allow_null=True)
    deleted_at = UTCDateTimeField(read_only=True, allow_null=True)
    message_count = serializers.IntegerField(read_only=True, help_text="The number of messages on the active path.")
    preview = serializers.CharField(read_only=True, help_text="The beginning of the newest message with text.")
    prompt_tokens = serializers.IntegerField(read_only=True)
    completion_tokens = serializers.IntegerField(read_only=True)
    created_at = UTCDateTimeField(read_only=True)
    updated_at = UTCDateTimeField(read_only=True, help_text="The time of the last change of any kind.")
    active_at = UTCDateTimeField(read_only=True, help_text="The time of the last new message. Lists are in this order.")


class NewConversationSerializer(ConversationSerializer):
    """A new conversation, optionally with its first messages. Unknown fields are errors."""

    title = StrictCharField(max_length=500, required=False, allow_blank=True)
    messages = Many(child=MessageSerializer(), max_length=settings.MESSAGES_LIMIT, required=False)


class ReactionSerializer(StrictSerializer):
    """A reaction of the caller to a message, such as `thumbs_up`."""

    id = serializers.UUIDField(read_only=True)
    type = StrictCharField(max_length=REACTION_LENGTH)
    created_at = UTCDateTimeField(read_only=True)


class BranchSerializer(StrictSerializer):
    """The branch to display."""

    message_id = StrictUUIDField(help_text="Any message on the branch.")


class BulkSerializer(StrictSerializer):
    """An action on several conversations. `add_tag` and `remove_tag` need a `tag`."""

    ids = ShortList(child=StrictUUIDField(), max_length=BULK_LIMIT, allow_empty=False)
    action = serializers.ChoiceField([action.value for action in Action])
    tag = StrictCharField(max_length=100, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["action"] in (Action.ADD_TAG, Action.REMOVE_TAG) and "tag" not in attrs:
            error = serializers.ErrorDetail(gettext("This field is required."), "required")
            raise serializers.ValidationError({"tag": [error]})
        return attrs | {"action": Action(attrs["action"])}


class RefusedSerializer(serializers.Serializer[Any]):
    """A conversation that an action could not change."""

    id = serializers.UUIDField()
    code = serializers.CharField(help_text="A stable code, for programs.")
    message = serializers.CharField(help_text="A sentence for people, in the language of the request.")


class BulkOutcomeSerializer(serializers.Serializer[Any]):
    """The result of an action for each id."""

    results = serializers.ListField(
        child=serializers.UUIDField(), help_text="The conversations that changed, or were so already."
    )
    not_found = serializers.ListField(
        child=serializers.UUIDField(), help_text="The ids that belong to no conversation of the user."
    )
    conflicts = RefusedSerializer(many=True)


class HistoryMessageSerializer(serializers.Serializer[Any]):
    """A message as the context for a model."""

    role = serializers.ChoiceField(Role.choices)
    content = serializers.CharField(allow_null=True)


class ShareSerializer(StrictSerializer):
    """A share: a copy of messages of a conversation, which everyone with the link can read."""

    id = serializers.UUIDField(read_only=True)
    token = serializers.CharField(read_only=True, help_text="The secret part of the link.")
    url = serializers.URLField(read_only=True, help_text="The link.")
    conversation_id = serializers.UUIDField(read_only=True)
    title = serializers.CharField(read_only=True, help_text="The title when the conversation was shared.")
    message_count = serializers.IntegerField(
        read_only=True, help_text="The number of messages when the conversation was shared."
    )
    sign_in_required = StrictBooleanField(required=False, help_text="Only people who are signed in can read the share.")
    expires_at = UTCDateTimeField(allow_null=True, required=False, help_text="Null if the share never expires.")
    created_at = UTCDateTimeField(read_only=True)

    def validate_expires_at(self, value: Any) -> Any:
        if value and value <= timezone.now():
            raise serializers.ValidationError(gettext("Must be in the future."))
        return value


class NewShareSerializer(ShareSerializer):
    """A new share."""

    message_id = StrictUUIDField(
        required=False,
        help_text="The last message to share, on any branch. The default is the end of the active path.",
    )


class SharedSerializer(serializers.Serializer[Any]):
    """A share, for its readers."""

    title = serializers.CharField()
    created_at = UTCDateTimeField()
    expires_at = UTCDateTimeField(allow_null=True)
    message_count = serializers.IntegerField(help_text="The number of messages when the conversation was shared.")


class SharedMessageSerializer(serializers.Serializer[Any]):
    """A message of a share, for its readers."""

    id = serializers.UUIDField()
    role = serializers.ChoiceField(Role.choices, help_text="`user`, `assistant` or `tool`.")
    content = serializers.CharField(allow_null=True)
    parts = StrictJSONField(dict, list, allow_null=True, help_text="Structured content, as any JSON object or array.")
    reasoning = serializers.CharField(help_text="Always empty, because models quote their instructions in it.")
    tool_calls = StrictJSONField(list, allow_null=True)
    tool_call_id = serializers.CharField()
    name = serializers.CharField()
    model = serializers.CharField()
    status = serializers.ChoiceField(Status.choices, help_text="Never `in_progress`.")
    created_at = UTCDateTimeField()
