"""The route that shows users the audit of their conversations, below /api/v1/."""

from django.urls import path

from .views import MyAuditView

urlpatterns = [path("me/audit/", MyAuditView.as_view())]
