from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext
from rest_framework import serializers

from accounts.models import ApiToken
from chatstore.api.fields import ShortList, StrictCharField, StrictJSONField, StrictSerializer, UTCDateTimeField


class MeSerializer(StrictSerializer):
    id = serializers.UUIDField(read_only=True)
    email = serializers.EmailField(read_only=True, allow_null=True)
    name = StrictCharField(max_length=255, allow_blank=True, required=False)
    image = serializers.URLField(max_length=2000, allow_blank=True, required=False)
    is_staff = serializers.BooleanField(read_only=True)
    has_password = serializers.BooleanField(
        source="has_usable_password",
        read_only=True,
        help_text="Whether the user can sign in, and confirm an erasure, with a password.",
    )
    created_at = UTCDateTimeField(read_only=True)


class Model(StrictCharField):
    """A model name. If the user has not chosen one, the API returns `groq`, the default of existing front ends."""

    def to_representation(self, value: str) -> str:
        return value or "groq"


class Language(StrictCharField):
    """A language. If the user has not chosen one, the API returns `en`, and pages use the language of the browser."""

    def to_representation(self, value: str) -> str:
        return value or "en"


class PreferencesSerializer(StrictSerializer):
    default_model = Model(max_length=255, required=False)
    theme = StrictCharField(max_length=32, required=False)
    language = Language(max_length=32, required=False)
    active_conversation = StrictCharField(
        max_length=255, allow_blank=True, required=False, help_text="The id of a conversation. It need not exist yet."
    )
    extra = StrictJSONField(
        dict, byte_limit=settings.METADATA_LIMIT, required=False, help_text="Any other data of the client."
    )
    created_at = UTCDateTimeField(read_only=True, allow_null=True)
    updated_at = UTCDateTimeField(read_only=True, allow_null=True)


class TokenSerializer(StrictSerializer):
    id = serializers.UUIDField(read_only=True)
    name = StrictCharField(max_length=100)
    scopes = ShortList(
        child=serializers.ChoiceField(ApiToken.Scope.choices),
        allow_empty=False,
        max_length=len(ApiToken.Scope),
        required=False,
    )
    expires_at = UTCDateTimeField(allow_null=True, required=False)
    last_used_at = UTCDateTimeField(read_only=True, allow_null=True)
    created_at = UTCDateTimeField(read_only=True)

    def validate_scopes(self, value: list[str]) -> list[str]:
        return list(dict.fromkeys(value))

    def validate_expires_at(self, value: Any) -> Any:
        if value and value <= timezone.now():
            raise serializers.ValidationError(gettext("Must be in the future."))
        return value


class ErasureSerializer(StrictSerializer):
    password = StrictCharField(
        max_length=4096, required=False, help_text="Not required within five minutes of signing in."
    )


class NewTokenSerializer(TokenSerializer):
    token = serializers.CharField(
        read_only=True, allow_null=True, help_text="The secret. Null in an idempotent replay."
    )
