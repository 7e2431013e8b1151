"""The route of tags and notebooks."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.base import APIView, Request
from conversations.labels import count_labels


class LabelSerializer(serializers.Serializer[Any]):
    """A tag or a notebook."""

    name = serializers.CharField()
    count = serializers.IntegerField(help_text="The number of conversations that have it.")


class LabelsSerializer(serializers.Serializer[Any]):
    tags = LabelSerializer(many=True)
    notebooks = LabelSerializer(many=True)


class LabelsView(APIView):
    @extend_schema(responses=LabelsSerializer)
    def get(self, request: Request) -> Response:
        """List the tags and the notebooks of the caller's conversations, with the number of conversations of each.

        The most frequent ones come first, at most 1,000 of each kind. Only the 2,000 most recently active conversations
        are counted. They include those in the archive, but none in the trash."""
        return Response(count_labels(request.user))
