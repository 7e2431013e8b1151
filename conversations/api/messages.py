"""The routes of messages and reactions."""

import uuid
from collections.abc import Sequence
from typing import Any

import orjson
from django.conf import settings
from django.utils.translation import gettext
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework.response import Response

from accounts.api.base import Request, ViewSet
from accounts.api.idempotency import run_idempotent
from chatstore.api import pagination
from chatstore.api.fields import Many
from chatstore.api.responses import bool_param, get_or_404, row_to_dict
from chatstore.api.schema import IDEMPOTENCY_KEY
from chatstore.errors import Conflict, NotFound
from conversations.columns import MESSAGE_FIELDS
from conversations.models import Message, Reaction
from conversations.querysets import MessageQuerySet
from conversations.services import branches, messages, reactions
from conversations.services.sync import sync

from .message_pages import AT, PAGE, PAGE_PARAMETERS, MessagePages, texts_or_404
from .serializers import (
    REACTION_LENGTH,
    ChangedMessageSerializer,
    HistoryMessageSerializer,
    MessageSerializer,
    ReactionSerializer,
    SyncedMessageSerializer,
)

MESSAGE, CHANGES, REACTION = MessageSerializer(), ChangedMessageSerializer(partial=True), ReactionSerializer()
HISTORY_SIZE = pagination.page_size(default=10, most=1_000, description="The number of messages.")
REACTION_TYPE = OpenApiParameter(
    "type",
    {"type": "string", "minLength": 1, "maxLength": REACTION_LENGTH},
    required=True,
    description="The reaction to remove.",
)
MANY = Many(child=MessageSerializer(), max_length=settings.MESSAGES_LIMIT, allow_empty=False)
HISTORY = Many(child=SyncedMessageSerializer(), max_length=settings.HISTORY_LIMIT)
ONE_OR_MANY = PolymorphicProxySerializer(
    "MessageOrMessages",
    serializers=[MessageSerializer, MANY],  # type: ignore[list-item]
    resource_type_field_name=None,
    many=False,
)


class TranscriptViewSet(ViewSet):
    """The messages of one conversation."""

    body_limits = {"PUT": settings.HISTORY_BODY_LIMIT}

    @extend_schema(parameters=[*PAGE_PARAMETERS, AT], responses=PAGE)
    def list(self, request: Request, id: uuid.UUID) -> Response:
        """List the messages of the active path, in order.

        With `all=true`, list the messages of every branch. Each has `parent_seq`, the `seq` of the message that it
        answers, and `sibling_count`, the number of alternatives including itself. A page ends at `limit` messages or at
        8 MB of JSON, whichever comes first. `next` and `previous` are the URLs of the next page and of the previous
        page. The messages of a page are always in order."""
        return Response(MessagePages(request, id).read(at=request.query_params.get("at")))

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=ONE_OR_MANY,
        responses={201: ONE_OR_MANY, 200: ONE_OR_MANY},
    )
    def create(self, request: Request, id: uuid.UUID) -> Response:
        """Append one message, or an array of up to 1,000 messages, to the end of the active path.

        An array is stored as a whole or not at all. The response to an array is an array."""
        many = isinstance(request.data, list)
        drafts = MANY.run_validation(request.data) if many else [MESSAGE.run_validation(request.data)]

        def make() -> tuple[Sequence[Message], bool]:
            return messages.append(user=request.user, conversation_id=id, drafts=drafts)

        outcome = run_idempotent(request, make)
        # If messages have an external_id, some may have been stored by an earlier request and have reactions.
        all_are_new = outcome.is_new and not (many and any(draft.get("external_id") for draft in drafts))
        data = _appended(outcome.rows) if all_are_new else self._stored(id, outcome.ids)
        return Response(data if many else data[0], 201 if outcome.is_new else 200)

    def _stored(self, id: uuid.UUID, ids: Sequence[str]) -> Sequence[Any]:
        """Read the messages that still exist, in the order in which they were sent.

        Raises NotFound if none exists, Conflict if they are larger than a page by now."""
        texts = texts_or_404(Message.objects.by_ids(self.request.user, id, ids))
        if not texts:
            raise NotFound("message")
        if "" in texts:
            raise Conflict(
                gettext("The messages are stored, but are too large for one answer: read them page by page.")
            )
        by_id = {orjson.loads(text)["id"]: text for text in texts}
        return [orjson.Fragment(by_id[id]) for id in ids if id in by_id]

    @extend_schema(parameters=PAGE_PARAMETERS, request=HISTORY, responses=PAGE)
    def update(self, request: Request, id: uuid.UUID) -> Response:
        """Synchronize the active path with the client's whole history.

        Messages that are stored already stay as they are. Messages that differ become a new branch. A shorter history
        ends the active path earlier. Nothing is deleted, and repeating the request writes nothing."""
        drafts = HISTORY.run_validation(request.data)
        sync(user=request.user, conversation_id=id, drafts=drafts)
        return Response(MessagePages(request, id).read())

    @extend_schema(parameters=[HISTORY_SIZE.parameter], responses=HistoryMessageSerializer(many=True))
    def history(self, request: Request, id: uuid.UUID) -> Response:
        """List role and content of the newest messages of the active path, oldest first, as the context for a model.

        The list is shorter if these messages have more than 8 MB of JSON."""
        limit = HISTORY_SIZE.read(request)
        newest = texts_or_404(Message.objects.context(request.user, id, limit=limit))
        return Response([orjson.Fragment(text) for text in reversed(newest) if text])


def message_dict(row: Message) -> dict[str, Any]:
    """Return the JSON of a message that was just stored. It has no reactions yet."""
    return _dict(row, Message.objects.alternatives_of(row))


def _appended(rows: Sequence[Message]) -> list[dict[str, Any]]:
    """Return the JSON of messages that were just appended. Only the first can have alternatives: the others follow a
    new message."""
    return [message_dict(rows[0]), *(_dict(row, []) for row in rows[1:])]


def _dict(row: Message, sibling_ids: list[uuid.UUID]) -> dict[str, Any]:
    return row_to_dict(row, MESSAGE_FIELDS, reactions=[], sibling_ids=sibling_ids)


class MessageViewSet(ViewSet):
    """One message, on any branch."""

    def owned(self, id: uuid.UUID | str) -> MessageQuerySet:
        return Message.objects.owned_by(self.request.user).in_live_conversations().filter(id=id)

    def read_live(self, id: uuid.UUID | str) -> orjson.Fragment:
        return get_or_404(self.owned(id).json_texts(), "message")

    @extend_schema(responses=MessageSerializer)
    def retrieve(self, request: Request, id: uuid.UUID) -> Response:
        """Return a message, on any branch."""
        return Response(self.read_live(id))

    @extend_schema(
        parameters=[
            IDEMPOTENCY_KEY,
            OpenApiParameter(
                "branch", bool, description="Create an alternative to the message, and display the alternative (201)."
            ),
        ],
        request=ChangedMessageSerializer,
        responses={200: MessageSerializer, 201: MessageSerializer},
    )
    def partial_update(self, request: Request, id: uuid.UUID) -> Response:
        """Edit the message in place. With `branch=true`, create an alternative instead, such as an edited question
        or a regenerated answer. What a reply under way writes, such as `content`, cannot be edited (409): stop the
        reply first."""
        changes = CHANGES.run_validation(request.data)
        if bool_param(request, "branch"):
            return self._branch(request, id, changes)
        messages.update(user=request.user, message_id=id, changes=changes)
        return Response(self.read_live(id))

    def _branch(self, request: Request, id: uuid.UUID, changes: dict[str, Any]) -> Response:
        def make() -> tuple[Sequence[Message], bool]:
            return [branches.branch(user=request.user, message_id=id, changes=changes)], True

        outcome = run_idempotent(request, make)
        if outcome.is_new:
            return Response(message_dict(outcome.rows[0]), 201)
        return Response(self.read_live(outcome.ids[0]))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, id: uuid.UUID) -> Response:
        """Move the message to the trash. The messages that answer it stay visible."""
        messages.trash(user=request.user, message_id=id)
        return Response(status=204)

    @extend_schema(request=None, responses=MessageSerializer)
    def restore(self, request: Request, id: uuid.UUID) -> Response:
        """Restore the message from the trash."""
        messages.restore(user=request.user, message_id=id)
        return Response(self.read_live(id))


class ReactionViewSet(ViewSet):
    @extend_schema(responses=ReactionSerializer(many=True))
    def list(self, request: Request, id: uuid.UUID) -> Response:
        """List the caller's reactions to the message, oldest first."""
        if not Message.objects.owned_by(request.user).in_live_conversations().filter(id=id).exists():
            raise NotFound("message")
        rows = Reaction.objects.filter(message=id, user=request.user).order_by("id")
        return Response(ReactionSerializer(rows, many=True).data)

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=ReactionSerializer,
        responses={201: ReactionSerializer, 200: ReactionSerializer},
    )
    def create(self, request: Request, id: uuid.UUID) -> Response:
        """Add a reaction. If the message has this reaction already, return it (200)."""
        fields = REACTION.run_validation(request.data)

        def make() -> tuple[Sequence[Reaction], bool]:
            reaction, is_new = reactions.react(user=request.user, message_id=id, **fields)
            return [reaction], is_new

        outcome = run_idempotent(request, make)
        reaction = outcome.rows[0] if outcome.is_new else self._stored(request, outcome.ids[0])
        return Response(ReactionSerializer(reaction).data, 201 if outcome.is_new else 200)

    @staticmethod
    def _stored(request: Request, id: str) -> Reaction:
        reaction = Reaction.objects.filter(id=id, user=request.user).first()
        if reaction is None:
            raise NotFound("reaction")
        return reaction

    @extend_schema(
        parameters=[REACTION_TYPE],
        responses={204: None},
    )
    def destroy(self, request: Request, id: uuid.UUID) -> Response:
        """Remove a reaction."""
        fields = REACTION.run_validation({"type": request.query_params.get("type", "")})
        reactions.unreact(user=request.user, message_id=id, **fields)
        return Response(status=204)
