from django.urls import path

from .views import SessionsView, SessionView

urlpatterns = [
    path("chat/sessions/", SessionsView.as_view()),
    path("chat/sessions/<name:id>/", SessionView.as_view()),
]
