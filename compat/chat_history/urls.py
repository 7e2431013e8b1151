from django.urls import path

from .views import ChatMessagesView, ChatsView, ChatView, CompletionView, MessagesView, MessageView, NotebooksView

urlpatterns = [
    path("chats/", ChatsView.as_view()),
    path("chats/<path:id>/", ChatView.as_view()),
    path("notebooks/", NotebooksView.as_view()),
    path("chat/completion/", CompletionView.as_view()),
    path("messages/", MessagesView.as_view()),
    path("messages/chat/<path:id>/", ChatMessagesView.as_view()),
    path("messages/<path:id>/", MessageView.as_view()),
]
