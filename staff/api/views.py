"""The API by which users see what staff did with their conversations."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.base import APIView, Request
from chatstore.api import pagination
from chatstore.api.fields import UTCDateTimeField
from chatstore.api.responses import format_time
from chatstore.api.schema import CURSOR, paged
from chatstore.errors import NotFound
from staff.models import Action, AuditEvent

CURSOR_KIND = "audit"
PAGE_SIZE = pagination.page_size(default=20, most=100)
CONVERSATION, MESSAGE = "conversations.conversation", "conversations.message"
USER = "accounts.user"
SHOWN = (
    Action.READ_TRANSCRIPT,
    Action.READ_MESSAGE,
    Action.EXPORT,
    Action.CHANGE,
    Action.TRASH,
    Action.RESTORE,
    Action.DELETE,
    Action.END_SHARES,
)


class AuditSerializer(serializers.Serializer[Any]):
    """Something that a member of staff did with a conversation."""

    id = serializers.UUIDField(help_text="With this id, the operator can find the member of the staff.")
    at = UTCDateTimeField()
    action = serializers.ChoiceField([(action.value, action.value) for action in SHOWN])
    conversation_id = serializers.UUIDField(
        allow_null=True,
        help_text="Null for an export of all data of the user, and in some old entries about a message.",
    )
    message_id = serializers.UUIDField(allow_null=True, help_text="Set if only this message was read.")
    reason = serializers.CharField(help_text="Empty if no reason was asked for.")


class MyAuditView(APIView):
    @extend_schema(
        operation_id="me_audit_list",
        parameters=[PAGE_SIZE.parameter, CURSOR],
        responses=paged("AuditPage", AuditSerializer),
    )
    def get(self, request: Request) -> Response:
        """List what staff did with the user's conversations, newest first. It does not name the members of staff.

        The response is a 404 unless the operator sets SHOW_AUDIT_TO_USERS."""
        if not settings.SHOW_AUDIT_TO_USERS:
            raise NotFound("audit")
        limit = PAGE_SIZE.read(request)
        after = pagination.read_cursor(request, CURSOR_KIND, UUID)
        rows = list(_events(request, after)[: limit + 1])
        next_page = None
        if len(rows) > limit:
            rows = rows[:limit]
            next_page = pagination.next_url(request, pagination.encode(CURSOR_KIND, [str(rows[-1].id)]))
        return Response({"results": list(map(_to_dict, rows)), "next": next_page})


def _events(request: Request, after: UUID | None) -> Any:
    is_of_conversation = Q(action__in=SHOWN, object_type__in=(CONVERSATION, MESSAGE))
    is_of_all = Q(action=Action.EXPORT, object_type=USER)  # an export of all data of the user
    events = AuditEvent.objects.filter(is_of_conversation | is_of_all, owner=request.user.pk).order_by("-id")
    return events.filter(id__lt=after) if after else events


def _to_dict(event: AuditEvent) -> dict[str, Any]:
    is_message = event.object_type == MESSAGE
    conversations: dict[str, Any] = {CONVERSATION: event.object_id, MESSAGE: event.details.get("conversation")}
    return {
        "id": event.id,
        "at": format_time(event.at),
        "action": event.action,
        "conversation_id": conversations.get(event.object_type),
        "message_id": event.object_id if is_message else None,
        "reason": event.reason,
    }
