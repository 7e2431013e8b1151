from django.urls import path

from .views import ChatMessagesView, ChatsView, ChatView, CompletionView, MessagesView, MessageView, NotebooksView

urlpatterns = [
    path("chats/", ChatsView.as_view()),
    path("chats/<name:id>/", ChatView.as_view()),
    path("notebooks/", NotebooksView.as_view()),
    path("chat/completion/", CompletionView.as_view()),
    path("messages/", MessagesView.as_view()),
    path("messages/chat/<name:id>/", ChatMessagesView.as_view()),
    path("messages/<name:id>/", MessageView.as_view()),
]
