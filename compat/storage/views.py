from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.response import Response

from accounts import services
from accounts.api.base import Request
from accounts.models import Preferences
from chatstore import health
from chatstore.api.responses import format_time
from compat.contract import ContractView, PlainError, error, name_of
from conversations.models import Conversation, Message
from conversations.services.sync_all import sync_all

from . import schemas

described = extend_schema(tags=["D: storage service"])


class View(ContractView):
    error_body, error_schema = staticmethod(error), PlainError

    def preferences(self) -> Preferences:
        return Preferences.objects.filter(user=self.request.user).first() or Preferences()

    def prefer(self, **changes: Any) -> Response:
        services.set_preferences(user=self.request.user, changes=changes)
        return Response({"success": True})


@described
class ConfigView(View):
    @extend_schema(operation_id="storage_config", responses=schemas.StorageType)
    def get(self, request: Request) -> Response:
        """Which kind of store, and never its address."""
        return Response({"type": "postgres"})


@described
class ChatSessionsView(View):
    body_limits = {"POST": settings.HISTORY_BODY_LIMIT}

    @extend_schema(operation_id="storage_sessions_list", responses=schemas.ChatSessions)
    def get(self, request: Request) -> Response:
        """Everything the user has. What is listed is noted, where it was not: only that can be left out of what is
        saved next. The one GET that writes."""
        rows = list(Conversation.objects.owned_by(request.user).listed().by_creation())
        said = Message.objects.owned_by(request.user).by_conversation([row.id for row in rows], *schemas.READ)
        services.note_known(user=request.user, ids=[row.id for row in rows], before=services.known_to(request.user))
        return Response({"chatSessions": [schemas.session(row, said[row.id]) for row in rows]})

    @extend_schema(operation_id="storage_sessions_save", request=schemas.ChatSessions, responses=schemas.Saved)
    def post(self, request: Request) -> Response:
        """Everything the user has. What is left out goes to the trash; its id brings it back."""
        sessions = self.read(schemas.ChatSessions).chatSessions
        sync_all(user=request.user, profile=schemas.SYNC_PROFILE, sent=[schemas.sent(session) for session in sessions])
        return Response({"success": True})


@described
class ActiveChatView(View):
    @extend_schema(operation_id="storage_active_chat", responses=schemas.ActiveChat)
    def get(self, request: Request) -> Response:
        return Response({"activeChatId": self._resolved(self.preferences().active_conversation)})

    def _resolved(self, name: str) -> str:
        """By the id that this client knows; empty for one in the trash; one that is not stored yet as it was given."""
        named = Conversation.objects.owned_by(self.request.user).named(name) if name else Conversation.objects.none()
        live = named.live().first()
        if live is not None:
            return name_of(live)
        return "" if named.exists() else name

    @extend_schema(operation_id="storage_active_chat_save", request=schemas.ActiveChat, responses=schemas.Saved)
    def post(self, request: Request) -> Response:
        return self.prefer(active_conversation=self.read(schemas.ActiveChat).activeChatId or "")


@described
class SelectedModelView(View):
    @extend_schema(operation_id="storage_selected_model", responses=schemas.SelectedModel)
    def get(self, request: Request) -> Response:
        return Response({"selectedModel": self.preferences().default_model})

    @extend_schema(operation_id="storage_selected_model_save", request=schemas.SelectedModel, responses=schemas.Saved)
    def post(self, request: Request) -> Response:
        return self.prefer(default_model=self.read(schemas.SelectedModel).selectedModel or "")


@described
class HealthView(View):
    permission_classes = [AllowAny]
    authentication_classes = []
    throttle_classes = []

    @extend_schema(operation_id="health", responses={200: schemas.Health, 503: schemas.Health})
    def get(self, request: Request) -> Response:
        is_there = health.database_state() == health.OK
        told = {
            "status": "ok" if is_there else "error",
            "timestamp": format_time(timezone.now()),
            "service": "chatstore",
        }
        return Response({**told, "database": "ok" if is_there else "unavailable"}, 200 if is_there else 503)
