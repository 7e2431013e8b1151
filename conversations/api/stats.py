"""The statistics route."""

from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.utils.translation import gettext
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.base import APIView, Request
from chatstore.api.fields import UTCDateTimeField
from chatstore.api.pagination import IntParam
from conversations import stats

DAYS = IntParam(
    "days", default=30, most=366, description="The number of days in `by_model` and `by_day`, including today."
)


class NumbersSerializer(serializers.Serializer[Any]):
    """Numbers of messages and tokens."""

    messages = serializers.IntegerField()
    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()


class ModelNumbersSerializer(NumbersSerializer):
    """The numbers of one model."""

    model = serializers.CharField()


class DayNumbersSerializer(NumbersSerializer):
    """The numbers of one day."""

    day = serializers.DateField()


class StatsSerializer(NumbersSerializer):
    """The caller's totals, and the numbers by model and by day."""

    conversations = serializers.IntegerField()
    joined_at = UTCDateTimeField()
    by_model = ModelNumbersSerializer(many=True)
    by_day = DayNumbersSerializer(many=True)


class StatsView(APIView):
    @extend_schema(
        parameters=[
            DAYS.parameter,
            OpenApiParameter(
                "tz",
                {"type": "string", "format": "time-zone"},
                description="The time zone of the days, such as `Europe/Berlin`. The default is UTC.",
            ),
        ],
        responses=StatsSerializer,
    )
    def get(self, request: Request) -> Response:
        """Return totals, and the numbers of the last days by model and by day.

        Conversations in the trash are left out. The token sums include trashed messages of other conversations."""
        span: dict[str, Any] = {"days": DAYS.read(request), "zone": _zone(request)}
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
    """Return the names of time zones that both Python and PostgreSQL know.

    ZoneInfo(name) alone does not check the name: it opens any file in the folder of time zones."""
    return available_timezones() - {"localtime"}
