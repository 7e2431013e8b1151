from django.urls import path

from .views import SessionsView, SessionView

urlpatterns = [
    path("chat/sessions/", SessionsView.as_view()),
    path("chat/sessions/<path:id>/", SessionView.as_view()),
]
