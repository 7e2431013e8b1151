from django.urls import path

from .views import ThreadMessagesView, ThreadsView, ThreadView, TitleView

urlpatterns = [
    path("conversations/", ThreadsView.as_view()),
    path("conversations/<name:id>/messages/", ThreadMessagesView.as_view()),
    path("conversations/<name:id>/title/", TitleView.as_view()),
    path("conversations/<name:id>/", ThreadView.as_view()),
]
