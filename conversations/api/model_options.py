"""The options of a reply: defaults of a conversation, and fields of a single request."""

from typing import Any

import orjson
from django.conf import settings
from django.utils.translation import gettext
from rest_framework import serializers

from chatstore.api.fields import (
    ShortList,
    StrictCharField,
    StrictIntegerField,
    StrictJSONField,
    StrictNumberField,
    StrictSerializer,
)

OPTIONAL: dict[str, Any] = {"required": False, "allow_null": True}
STOPS = 4  # texts that end a reply, at most; OpenAI's limit
TOOLS = 128  # OpenAI's limit


class ModelOptionsSerializer(StrictSerializer):
    """Options of a reply. Null stands for the model's own default. Unknown fields are errors."""

    byte_limit = settings.METADATA_LIMIT

    system_prompt = StrictCharField(allow_blank=True, help_text="The first message that the model gets.", **OPTIONAL)
    temperature = StrictNumberField(min_value=0, max_value=2, **OPTIONAL)
    top_p = StrictNumberField(min_value=0, max_value=1, **OPTIONAL)
    max_tokens = StrictIntegerField(
        min_value=1, max_value=2**31 - 1, help_text="The longest reply, in tokens of the model.", **OPTIONAL
    )
    stop = ShortList(
        child=StrictCharField(max_length=255), max_length=STOPS, help_text="Texts at which the reply ends.", **OPTIONAL
    )
    tools = ShortList(
        child=StrictJSONField(dict),
        max_length=TOOLS,
        help_text="Tools that the model can call, as in OpenAI's API.",
        **OPTIONAL,
    )
    tool_choice = StrictJSONField(str, dict, help_text="As in OpenAI's API, such as `auto`.", **OPTIONAL)
    response_format = StrictJSONField(dict, help_text="As in OpenAI's API, such as a JSON schema.", **OPTIONAL)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (size := len(orjson.dumps(attrs))) > self.byte_limit:
            message = gettext("Has {size:,} bytes as JSON; the limit is {limit:,}.")
            raise serializers.ValidationError(message.format(size=size, limit=self.byte_limit), code="bytes")
        return attrs


class RequestedOptionsSerializer(ModelOptionsSerializer):
    """Options of one reply. They replace those of the conversation, field by field; null stands for the model's own
    default. Unknown fields are errors."""

    byte_limit = settings.PARTS_LIMIT
