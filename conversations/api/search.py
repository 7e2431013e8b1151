"""The search route."""

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
from chatstore.api.schema import CURSOR, paged
from conversations import search
from conversations.models import Role

PAGE_SIZE = pagination.page_size(default=20, most=100)
SORTS = ("recent", "relevance")
TITLES_LIMIT = 20  # conversations in the response to the first page


class HitSerializer(serializers.Serializer[Any]):
    """A message that matches."""

    message_id = serializers.UUIDField()
    conversation_id = serializers.UUIDField()
    conversation_title = serializers.CharField()
    seq = serializers.IntegerField()
    role = serializers.ChoiceField(Role.choices)
    model = serializers.CharField()
    is_active = serializers.BooleanField(
        help_text="True if the message is on the active path. Otherwise, send its id to `branch/` to display it."
    )
    created_at = UTCDateTimeField()
    snippet = serializers.CharField(help_text="Escaped HTML with the matches in `<mark>`.")


class TitleHitSerializer(serializers.Serializer[Any]):
    """A conversation whose title matches."""

    conversation_id = serializers.UUIDField()
    title = serializers.CharField()
    snippet = serializers.CharField(help_text="The title as escaped HTML with the matches in `<mark>`.")
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
            OpenApiParameter(
                "sort", str, enum=SORTS, description="The order of the messages. The default is `recent`."
            ),
            PAGE_SIZE.parameter,
            CURSOR,
        ],
        responses=paged(
            "SearchPage",
            HitSerializer,
            conversations=TitleHitSerializer(many=True),
            searched_since=UTCDateTimeField(
                allow_null=True,
                help_text="The time of the oldest message that was searched. Null if the search has no more to do.",
            ),
        ),
    )
    def get(self, request: Request) -> Response:
        """Search the caller's messages on all branches. The first page also contains conversations whose title matches.

        Words match by their stem. If they match less than a page of messages, words of three or more characters also
        match as parts of other words. If no index serves the query, a page searches at most 10,000 messages. It can
        then have less than `limit` results, even none, although `next` is set."""
        query = search.parse(_text(request))
        sort, limit = _sort(request), PAGE_SIZE.read(request)
        after = pagination.read_cursor(
            request, f"search-{sort}", _rank_position if sort == "relevance" else _time_position
        )
        budget = search.Budget()
        # The titles come first, because the search for messages can answer less if its time is short.
        titles = [] if after else _titles(request, query, budget)
        found = _find(request, query, budget, sort=sort, limit=limit + 1, after=after)
        hits, next_cursor = found.hits[:limit], None
        if len(found.hits) > limit:
            next_cursor = _cursor(sort, hits[-1], found.match_parts)
        elif found.stopped_at and sort == "recent":
            next_cursor = _time_cursor(found.stopped_at)
        return Response(
            {
                "conversations": titles,
                "results": [_hit_to_dict(hit) for hit in hits],
                "searched_since": format_time(found.stopped_at.key) if found.stopped_at else None,
                "next": pagination.next_url(request, next_cursor) if next_cursor else None,
            }
        )


def _find(
    request: Request,
    query: search.Query,
    budget: search.Budget,
    *,
    sort: str,
    limit: int,
    after: search.Position | None,
) -> search.Found:
    if query.in_title:
        return search.Found([], False, None)
    by_relevance = sort == "relevance"
    return search.find_messages(
        owner=request.user, query=query, budget=budget, limit=limit, by_relevance=by_relevance, after=after
    )


def _titles(request: Request, query: search.Query, budget: search.Budget) -> list[dict[str, Any]]:
    if not query.can_match_titles:
        return []
    pattern = search.typed_pattern(query)
    rows = search.find_titles(owner=request.user, query=query, budget=budget, limit=TITLES_LIMIT)
    return [
        {
            "conversation_id": id,
            "title": title,
            "snippet": search.highlight(title, pattern),
            "active_at": format_time(active_at),
        }
        for id, title, active_at in rows
    ]


def _hit_to_dict(hit: search.Hit) -> dict[str, Any]:
    fields = hit._asdict()
    del fields["rank"]
    return fields | {"created_at": format_time(hit.created_at)}


def _text(request: Request) -> str:
    text = request.query_params.get("q")
    if text is None:
        message = gettext("Send the text to search for.")
        raise serializers.ValidationError({"q": [serializers.ErrorDetail(message, "required")]})
    return text.replace("\0", " ")


def _sort(request: Request) -> str:
    sort = request.query_params.get("sort", SORTS[0])
    if sort not in SORTS:
        raise serializers.ValidationError({"sort": [gettext("Must be one of {names}.").format(names=", ".join(SORTS))]})
    return sort


def _cursor(sort: str, hit: search.Hit, match_parts: bool) -> str:
    if sort == "recent":
        return _time_cursor(search.Position(hit.created_at, hit.message_id, match_parts))
    return pagination.encode(f"search-{sort}", [hit.rank, str(hit.message_id), match_parts])


def _time_cursor(position: search.Position) -> str:
    key = [format_time(position.key), str(position.id), position.match_parts]
    return pagination.encode("search-recent", key)


def _rank_position(rank: float, id: str, match_parts: bool) -> search.Position:
    return search.Position(rank + 0.0, UUID(id), bool(match_parts))


def _time_position(at: str, id: str, match_parts: bool) -> search.Position:
    return search.Position(pagination.parse_datetime(at), UUID(id), bool(match_parts))
