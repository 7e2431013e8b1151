from django.urls import path

from .views import ConversationExportView, ConversationsExportView, ExportView

urlpatterns = [
    path("me/export/", ExportView.as_view()),
    path("conversations/export/", ConversationsExportView.as_view()),
    path("conversations/<uuid:id>/export/", ConversationExportView.as_view()),
]
