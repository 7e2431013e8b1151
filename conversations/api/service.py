"""The route of the settings that a client must know."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.base import APIView, Request


class LanguageSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField(help_text="The name of the language in this language.")


class ServiceSerializer(serializers.Serializer[Any]):
    """Settings of this service. docs/configuration.md describes them."""

    version = serializers.CharField(help_text="The version of the API.")
    single_user = serializers.BooleanField(help_text="Whether requests without credentials are from one user.")
    trash_days = serializers.IntegerField(help_text="The days for which objects in the trash can be restored.")
    keep_conversations = serializers.IntegerField(
        help_text="The number of conversations that a user keeps. The least recently active ones above it go to the "
        "trash, except pinned and archived ones. 0 means no limit."
    )
    retention_days = serializers.IntegerField(
        help_text="The days without activity after which a conversation goes to the trash. 0 means never."
    )
    retention_days_by_tag = serializers.DictField(
        child=serializers.IntegerField(), help_text="The same for conversations with a tag."
    )
    content_limit = serializers.IntegerField(help_text="The largest content of a message, in bytes of UTF-8.")
    messages_limit = serializers.IntegerField(help_text="The largest number of messages in a request.")
    audit_shown = serializers.BooleanField(help_text="Whether `me/audit/` shows what staff did.")
    languages = LanguageSerializer(many=True, help_text="The languages of texts for people, such as error messages.")
    is_echo = serializers.BooleanField(help_text="Whether no model is configured, so that only the echo answers.")


class ServiceView(APIView):
    @extend_schema(responses=ServiceSerializer)
    def get(self, request: Request) -> Response:
        """Return the settings of the service that a client must know."""
        return Response(
            {
                "version": settings.SPECTACULAR_SETTINGS["VERSION"],
                "single_user": bool(settings.SINGLE_USER),
                "trash_days": settings.TRASH_DAYS,
                "keep_conversations": settings.KEEP_CONVERSATIONS,
                "retention_days": settings.RETENTION_DAYS,
                "retention_days_by_tag": settings.RETENTION_DAYS_BY_TAG,
                "content_limit": settings.CONTENT_LIMIT,
                "messages_limit": settings.MESSAGES_LIMIT,
                "audit_shown": settings.SHOW_AUDIT_TO_USERS,
                "languages": [{"code": code, "name": name} for code, name in settings.LANGUAGES],
                "is_echo": not settings.MODELS,
            }
        )
