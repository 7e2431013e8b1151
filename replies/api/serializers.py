from typing import Any

from django.conf import settings
from django.utils.translation import gettext
from rest_framework import serializers

from chatstore.api.fields import (
    StrictBooleanField,
    StrictCharField,
    StrictJSONField,
    StrictSerializer,
    StrictUUIDField,
)
from conversations.api.model_options import RequestedOptionsSerializer
from conversations.api.serializers import MessageSerializer, external_id


class WishesSerializer(StrictSerializer):
    """How the reply is generated and sent."""

    model = StrictCharField(
        max_length=255,
        allow_blank=True,
        required=False,
        help_text="The name of a configured model, or `name/model`. Without it, the model of the conversation or the "
        "user's default model answers.",
    )
    model_options = RequestedOptionsSerializer(required=False)
    stream = StrictBooleanField(
        required=False,
        help_text="Send the reply as server-sent events while the model writes it. Without it, the header `Accept: "
        "text/event-stream` decides.",
    )


class ContentSerializer(WishesSerializer):
    content = StrictCharField(byte_limit=settings.CONTENT_LIMIT, required=False)
    parts = StrictJSONField(
        list,
        byte_limit=settings.PARTS_LIMIT,
        required=False,
        help_text="The content as a list of parts, such as texts and images. Models that take them get all parts.",
    )
    external_id = external_id()


def _refuse_without_content() -> None:
    error = serializers.ErrorDetail(gettext("This field is required."), "required")
    raise serializers.ValidationError({"content": [error]})


class QuestionSerializer(ContentSerializer):
    needs_one_of = ("content", "parts")

    conversation_id = StrictUUIDField(
        required=False, allow_null=True, help_text="Without it, a new conversation is created."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.keys() & set(self.needs_one_of):
            _refuse_without_content()
        return attrs


class ReplySerializer(ContentSerializer):
    """A question, or the message that is to be answered. With both, the question replaces that message."""

    needs_one_of = ("content", "parts", "message_id")

    message_id = StrictUUIDField(
        required=False,
        help_text="Of an answer: write another one. Of a question, with `content` or `parts`: answer the edited "
        "question. Of a question alone: answer it, unless it has an answer.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.keys() & set(self.needs_one_of):
            _refuse_without_content()
        if "message_id" in attrs and attrs.get("external_id"):
            message = gettext("Only a new question can have an external_id.")
            raise serializers.ValidationError({"external_id": [message]})
        return attrs


class StopSerializer(StrictSerializer):
    message_id = StrictUUIDField(
        required=False, help_text="The answer to stop. Without it, all replies under way in the conversation end."
    )


class StoppedSerializer(serializers.Serializer[Any]):
    """The answers that were told to end. Each ends within a second and keeps its text."""

    message_ids = serializers.ListField(child=serializers.UUIDField())


class ModelSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="The name for requests. `name/model` is another model of this provider.")
    kind = serializers.CharField(help_text="The kind of its provider, such as `openai`.")
    model = serializers.CharField(help_text="The provider's name for the model.")
    input = serializers.ListField(child=serializers.CharField(), help_text="What it reads: `text`, `image`, `file`.")
    is_default = serializers.BooleanField(help_text="Whether it answers if a request names no model.")


class ExchangeSerializer(serializers.Serializer[Any]):
    conversation_id = serializers.UUIDField()
    question = MessageSerializer()
    answer = MessageSerializer()
