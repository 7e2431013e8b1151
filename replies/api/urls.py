from django.urls import path

from .views import ChatView, ModelsView, ReplyView, StopView, StreamView

urlpatterns = [
    path("chat/", ChatView.as_view()),
    path("models/", ModelsView.as_view()),
    path("conversations/<uuid:id>/reply/", ReplyView.as_view()),
    path("conversations/<uuid:id>/stop/", StopView.as_view()),
    path("conversations/<uuid:id>/messages/<uuid:message_id>/stream/", StreamView.as_view()),
]
