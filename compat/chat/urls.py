from django.urls import path

from .views import ChatView, HistoryView

urlpatterns = [
    path("chat/", ChatView.as_view()),
    path("chat/history/", HistoryView.as_view()),
]
