from django.urls import path

from . import schema  # noqa: F401
from .views import MeView, PreferencesView, TokenViewSet

urlpatterns = [
    path("me/", MeView.as_view()),
    path("preferences/", PreferencesView.as_view()),
    path("tokens/", TokenViewSet.as_view({"get": "list", "post": "create"})),
    path("tokens/<uuid:id>/", TokenViewSet.as_view({"delete": "destroy"})),
]
