from typing import Any

from django.conf import settings
from rest_framework import serializers

from chatstore.api.fields import StrictCharField, StrictSerializer, StrictUUIDField
from conversations.api.serializers import MessageSerializer, external_id


class QuestionSerializer(StrictSerializer):
    content = StrictCharField(byte_limit=settings.CONTENT_LIMIT)
    conversation_id = StrictUUIDField(
        required=False, allow_null=True, help_text="Without it, a new conversation is created."
    )
    model = StrictCharField(
        max_length=255,
        allow_blank=True,
        required=False,
        help_text="The name of a configured model, or `name/model`. Without it, the user's default model answers.",
    )
    external_id = external_id()


class ExchangeSerializer(serializers.Serializer[Any]):
    conversation_id = serializers.UUIDField()
    question = MessageSerializer()
    answer = MessageSerializer()
