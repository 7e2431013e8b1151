from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.response import Response

from accounts import services
from accounts.api.base import Request
from chatstore import health
from chatstore.api.responses import format_time
from compat import rows
from compat.contract import ContractView, PlainError, error, name_of
from conversations.models import Conversation
from conversations.services.sync_all import sync_all

from . import schemas

in_docs_section = extend_schema(tags=["D: storage service"])


class View(ContractView):
    error_body, error_schema = staticmethod(error), PlainError

    def save_preferences(self, **changes: Any) -> Response:
        services.set_preferences(user=self.request.user, changes=changes)
        return Response({"success": True})


@in_docs_section
class ConfigView(View):
    @extend_schema(operation_id="storage_config", responses=schemas.StorageType)
    def get(self, request: Request) -> Response:
        """Get the kind of the database, never its address."""
        return Response({"type": "postgres"})


@in_docs_section
class ChatSessionsView(View):
    body_limits = {"POST": settings.HISTORY_BODY_LIMIT}

    @extend_schema(operation_id="storage_sessions_list", responses=schemas.ChatSessions)
    def get(self, request: Request) -> Response:
        """Get all sessions of the user, with their messages.

        The server records the ids of these sessions. The next save trashes a recorded session that it leaves out."""
        sessions = rows.read_with_messages(schemas.SESSIONS, user=request.user.pk)
        services.save_known(user=request.user, ids=list(sessions), before=services.read_known(request.user))
        return Response({"chatSessions": list(sessions.values())})

    @extend_schema(operation_id="storage_sessions_save", request=schemas.ChatSessions, responses=schemas.Saved)
    def post(self, request: Request) -> Response:
        """Save all sessions of the user.

        A session goes to the trash if the last list or save contained it and this request leaves it out. A later save
        with the same id restores it."""
        sessions = self.read(schemas.ChatSessions).chatSessions
        sync_all(
            user=request.user,
            source=schemas.SOURCE,
            profile=schemas.SYNC_PROFILE,
            sessions=[schemas.session_input(session) for session in sessions],
        )
        return Response({"success": True})


@in_docs_section
class ActiveChatView(View):
    @extend_schema(operation_id="storage_active_chat", responses=schemas.ActiveChat)
    def get(self, request: Request) -> Response:
        """Get the id of the active session, or an empty string."""
        return Response({"activeChatId": self._client_id(services.preferences_of(request.user).active_conversation)})

    def _client_id(self, name: str) -> str:
        """Return the client's id for the conversation with this name.

        Return an empty string if the conversation is in the trash, and the name itself if no conversation has it."""
        named = Conversation.objects.owned_by(self.request.user).named(name) if name else Conversation.objects.none()
        live = named.live().first()
        if live is not None:
            return name_of(live)
        return "" if named.exists() else name

    @extend_schema(operation_id="storage_active_chat_save", request=schemas.ActiveChat, responses=schemas.Saved)
    def post(self, request: Request) -> Response:
        """Set the id of the active session. An empty string or null clears it."""
        return self.save_preferences(active_conversation=self.read(schemas.ActiveChat).activeChatId or "")


@in_docs_section
class SelectedModelView(View):
    @extend_schema(operation_id="storage_selected_model", responses=schemas.SelectedModel)
    def get(self, request: Request) -> Response:
        """Get the name of the selected model, or an empty string."""
        return Response({"selectedModel": services.preferences_of(request.user).default_model})

    @extend_schema(operation_id="storage_selected_model_save", request=schemas.SelectedModel, responses=schemas.Saved)
    def post(self, request: Request) -> Response:
        """Set the name of the selected model. An empty string or null clears it."""
        return self.save_preferences(default_model=self.read(schemas.SelectedModel).selectedModel or "")


@in_docs_section
class HealthView(View):
    permission_classes = [AllowAny]
    authentication_classes = []
    throttle_classes = []

    @extend_schema(operation_id="health", responses={200: schemas.Health, 503: schemas.Health})
    def get(self, request: Request) -> Response:
        """Check that the service can reach its database. Needs no authentication."""
        is_available = health.database_state() == health.OK
        body = {
            "status": "ok" if is_available else "error",
            "timestamp": format_time(timezone.now()),
            "service": "chatstore",
            "database": "ok" if is_available else "unavailable",
        }
        return Response(body, 200 if is_available else 503)
