from django.urls import path

from .views import ExportView

urlpatterns = [
    path("me/export/", ExportView.as_view()),
]
