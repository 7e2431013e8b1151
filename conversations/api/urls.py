"""The routes of conversations, messages, search and statistics, below /api/v1/."""

from typing import Any

from django.urls import path

from .account import MeView
from .conversations import BulkView
from .conversations import ConversationViewSet as Conversations
from .labels import LabelsView
from .messages import MessageViewSet as Messages
from .messages import ReactionViewSet as Reactions
from .messages import TranscriptViewSet as Transcript
from .search import SearchView
from .service import ServiceView
from .shares import ConversationShareViewSet as ConversationShares
from .shares import SharedViewSet as Shared
from .shares import ShareViewSet as Shares
from .stats import StatsView

DETAIL: dict[str, Any] = {"get": "retrieve", "patch": "partial_update", "put": "update", "delete": "destroy"}
REACTIONS: dict[str, Any] = {"get": "list", "post": "create", "delete": "destroy"}

urlpatterns = [
    path("conversations/", Conversations.as_view({"get": "list", "post": "create"})),
    path("conversations/bulk/", BulkView.as_view()),
    path("conversations/<uuid:id>/", Conversations.as_view(DETAIL)),
    path("conversations/<uuid:id>/restore/", Conversations.as_view({"post": "restore"})),
    path("conversations/<uuid:id>/branch/", Conversations.as_view({"post": "branch"})),
    path("conversations/<uuid:id>/messages/", Transcript.as_view({"get": "list", "post": "create", "put": "update"})),
    path("conversations/<uuid:id>/history/", Transcript.as_view({"get": "history"})),
    path("conversations/<uuid:id>/shares/", ConversationShares.as_view({"get": "list", "post": "create"})),
    path("messages/<uuid:id>/", Messages.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"})),
    path("messages/<uuid:id>/restore/", Messages.as_view({"post": "restore"})),
    path("messages/<uuid:id>/reactions/", Reactions.as_view(REACTIONS)),
    path("shares/", Shares.as_view({"get": "list"})),
    path("shares/<uuid:id>/", Shares.as_view({"delete": "destroy"})),
    path("shared/<str:token>/", Shared.as_view({"get": "retrieve"})),
    path("shared/<str:token>/messages/", Shared.as_view({"get": "messages"})),
    path("search/", SearchView.as_view()),
    path("stats/", StatsView.as_view()),
    path("labels/", LabelsView.as_view()),
    path("service/", ServiceView.as_view()),
    path("me/", MeView.as_view()),
]
