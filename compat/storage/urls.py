from django.urls import path

from .views import ActiveChatView, ChatSessionsView, ConfigView, HealthView, SelectedModelView

urlpatterns = [
    path("v1/storage/config/", ConfigView.as_view()),
    path("v1/storage/chat-sessions/", ChatSessionsView.as_view()),
    path("v1/storage/active-chat/", ActiveChatView.as_view()),
    path("v1/storage/selected-model/", SelectedModelView.as_view()),
    path("health/", HealthView.as_view()),
]
