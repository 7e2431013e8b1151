from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.utils.translation import gettext
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.base import APIView, Request
from chatstore.api.fields import UTCDateTimeField
from chatstore.api.pagination import int_param
from conversations import stats


class NumbersSerializer(serializers.Serializer[Any]):
    messages = serializers.IntegerField()
    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()


class ModelNumbersSerializer(NumbersSerializer):
    model = serializers.CharField()


class DayNumbersSerializer(NumbersSerializer):
    day = serializers.DateField()


class StatsSerializer(NumbersSerializer):
    conversations = serializers.IntegerField()
    joined_at = UTCDateTimeField()
    by_model = ModelNumbersSerializer(many=True)
    by_day = DayNumbersSerializer(many=True)


class StatsView(APIView):
    @extend_schema(
        parameters=[
            OpenApiParameter(
                "days", int, description="How many days by_model and by_day look back; 30 where left out."
            ),
            OpenApiParameter("tz", str, description="Whose days: a name such as Europe/Berlin; UTC where left out."),
        ],
        responses=StatsSerializer,
    )
    def get(self, request: Request) -> Response:
        """Totals of what is not in the trash; by model and by day for the last days."""
        span: dict[str, Any] = {"days": int_param(request, "days", default=30, most=366), "zone": _zone(request)}
        numbers = {
            **stats.totals(request.user),
            "joined_at": request.user.created_at,
            "by_model": stats.by_model(request.user, **span),
            "by_day": stats.by_day(request.user, **span),
        }
        return Response(StatsSerializer(numbers).data)


def _zone(request: Request) -> ZoneInfo:
    name = request.query_params.get("tz", "UTC")
    if name not in _zones():
        raise serializers.ValidationError({"tz": [gettext("There is no time zone {name!r}.").format(name=name)]})
    return ZoneInfo(name)


@cache
def _zones() -> set[str]:
    """Names only, since PostgreSQL has to know it, too; ZoneInfo would open any file of zones."""
    return available_timezones() - {"localtime"}
