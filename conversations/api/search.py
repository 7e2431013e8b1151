from typing import Any
from uuid import UUID

from django.utils.translation import gettext
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.base import APIView, Request
from chatstore.api import pagination
from chatstore.api.fields import UTCDateTimeField
from chatstore.api.responses import format_time
from chatstore.api.schema import PAGING, paged
from conversations import search
from conversations.models import Role

SORTS = ("recent", "relevance")
TITLES = 20  # at most, beside the first page of messages


class HitSerializer(serializers.Serializer[Any]):
    message_id = serializers.UUIDField()
    conversation_id = serializers.UUIDField()
    conversation_title = serializers.CharField()
    seq = serializers.IntegerField()
    role = serializers.ChoiceField(Role.choices)
    model = serializers.CharField()
    is_active = serializers.BooleanField(help_text="On the branch that is shown; else `branch/` shows it.")
    created_at = UTCDateTimeField()
    snippet = serializers.CharField(help_text="HTML: the text escaped, the matches in `<mark>`.")


class TitleHitSerializer(serializers.Serializer[Any]):
    conversation_id = serializers.UUIDField()
    title = serializers.CharField()
    snippet = serializers.CharField(help_text="The title as HTML, the matches in `<mark>`.")
    active_at = UTCDateTimeField()


class SearchView(APIView):
    @extend_schema(
        parameters=[
            OpenApiParameter(
                "q",
                str,
                required=True,
                description='Words, `"phrases"`, `-exclusions`, and the operators `role:`, `model:`, `tag:`, '
                "`before:`, `after:` (ISO 8601, UTC), `has:tool_calls`, `in:title`.",
            ),
            OpenApiParameter("sort", str, enum=SORTS, description="`recent` where it is left out."),
            *PAGING,
        ],
        responses=paged("SearchPage", HitSerializer, conversations=TitleHitSerializer(many=True)),
    )
    def get(self, request: Request) -> Response:
        """The caller's messages, on every branch; and on the first page conversations by their title.

        A word is found by its stem. Where words are found less than a page of times, they are found inside of others,
        too, from three characters on."""
        query = search.parse(_text(request))
        sort, limit = _sort(request), pagination.page_limit(request, default=20, most=100)
        after = pagination.read_cursor(request, f"search-{sort}", _by_rank if sort == "relevance" else _by_time)
        hits, inside = _hits(request, query, sort=sort, limit=limit + 1, after=after)
        following = None
        if len(hits) > limit:
            hits = hits[:limit]
            following = pagination.next_url(request, _cursor(sort, hits[-1], inside))
        return Response(
            {
                "conversations": [] if after else _titles(request, query),
                "results": [_as_json(hit) for hit in hits],
                "next": following,
            }
        )


def _hits(
    request: Request, query: search.Query, *, sort: str, limit: int, after: search.Position | None
) -> tuple[list[search.Hit], bool]:
    if query.in_title:
        return [], False
    return search.messages(user=request.user, query=query, limit=limit, by_relevance=sort == "relevance", after=after)


def _titles(request: Request, query: search.Query) -> list[dict[str, Any]]:
    if not query.may_be_a_title:
        return []
    matches = search.typed(query)
    rows = search.titles(user=request.user, query=query, limit=TITLES)
    return [
        {
            "conversation_id": id,
            "title": title,
            "snippet": search.marked(title, matches),
            "active_at": format_time(active_at),
        }
        for id, title, active_at in rows
    ]


def _as_json(hit: search.Hit) -> dict[str, Any]:
    shown = hit._asdict()
    del shown["rank"]
    return shown | {"created_at": format_time(hit.created_at)}


def _text(request: Request) -> str:
    text = request.query_params.get("q")
    if text is None:
        raise serializers.ValidationError({"q": [serializers.ErrorDetail(gettext("What to look for."), "required")]})
    return text.replace("\0", " ")


def _sort(request: Request) -> str:
    sort = request.query_params.get("sort", SORTS[0])
    if sort not in SORTS:
        raise serializers.ValidationError({"sort": [gettext("Must be one of {names}.").format(names=", ".join(SORTS))]})
    return sort


def _cursor(sort: str, hit: search.Hit, inside: bool) -> str:
    key = hit.rank if sort == "relevance" else format_time(hit.created_at)
    return pagination.encode(f"search-{sort}", [key, str(hit.message_id), inside])


def _by_rank(rank: float, id: str, inside: bool) -> search.Position:
    return search.Position(rank + 0.0, UUID(id), bool(inside))


def _by_time(at: str, id: str, inside: bool) -> search.Position:
    return search.Position(pagination.parse_datetime(at), UUID(id), bool(inside))
