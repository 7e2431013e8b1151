"""The routes of accounts. `me/` is in `conversations.api`, because erasing a user also erases conversations."""

from django.urls import path

from . import schema  # noqa: F401
from .views import PreferencesView, TokenViewSet

urlpatterns = [
    path("preferences/", PreferencesView.as_view()),
    path("tokens/", TokenViewSet.as_view({"get": "list", "post": "create"})),
    path("tokens/<uuid:id>/", TokenViewSet.as_view({"delete": "destroy"})),
]
