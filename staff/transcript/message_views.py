"""Two further views of a message: the message as JSON, and an image in it."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path

from conversations.models import Message
from staff.audit import record
from staff.fields import LONGEST, cut_notice
from staff.models import Action
from staff.visible import escape_codes

from .page import ELEMENTS
from .pieces import pretty, read_image


class MessageViews(admin.ModelAdmin):
    def get_urls(self) -> list[Any]:
        json, image = self.admin_site.admin_view(self.json_view), self.admin_site.admin_view(self.image_view)
        return [
            path("<uuid:object_id>/json/", json, name="conversations_message_json"),
            path("<uuid:object_id>/image/<int:number>/", image, name="conversations_message_image"),
            *super().get_urls(),
        ]

    def json_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Return the message as the API does. If it exceeds LONGEST characters, return its beginning as plain text.

        Raises PermissionDenied or Http404."""
        message = self._get_readable(request, object_id)
        record(request, Action.READ_MESSAGE, message, conversation=message.conversation_id)
        [text] = Message.objects.filter(pk=message.pk).json_texts()
        if len(text) > LONGEST:
            return HttpResponse(text[:LONGEST] + "\n" + cut_notice(), content_type="text/plain; charset=utf-8")
        return HttpResponse(escape_codes(pretty(text)), content_type="application/json")

    def image_view(self, request: HttpRequest, object_id: UUID, number: int) -> HttpResponse:
        """Return the image in the part with this number, from 1. Raises PermissionDenied or Http404.

        An image that can contain scripts is a 404, too."""
        message = self._get_readable(request, object_id)
        if number not in range(1, ELEMENTS + 1):
            raise Http404
        image = read_image(Message.objects.values_list(f"parts__{number - 1}", flat=True).get(pk=message.pk))
        if image is None:
            raise Http404
        record(request, Action.READ_MESSAGE, message, conversation=message.conversation_id)
        return HttpResponse(image[1], content_type=image[0])

    def _get_readable(self, request: HttpRequest, id: UUID) -> Message:
        """Return the message without its contents. Raises PermissionDenied or Http404."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(Message.objects.only("user_id", "conversation_id"), pk=id)
