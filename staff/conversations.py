"""The admin's pages of conversations: the list, the transcript of a conversation, and its form."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.utils import flatten, unquote
from django.contrib.admin.views.main import ChangeList
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.forms import ModelForm, Textarea
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext_lazy

from accounts.models import User
from chatstore.ids import parse_uuid
from conversations.models import Conversation
from conversations.services import conversations

from . import actions
from .audit import record
from .audit.reasons import ShowsContent
from .big_tables import BigTableAdmin
from .conversation_filters import FILTERS
from .exports import ConversationExports, export_formats
from .fields import (
    activity_and_state,
    marked_title,
    message_count,
    model_and_source,
    owner,
    preformatted,
    tags,
    title_and_preview,
    tokens,
)
from .holds import VIEW_HOLD, hold_box, holds_in_force
from .models import Action
from .review import panel
from .review.changes import VIEW as VIEW_REVIEWS
from .review.verdicts import ListWithVerdicts, verdict
from .transcript import reading
from .unread import record_read

TEMPLATES = "admin/conversations/conversation"
MAX_OWNERS = 100  # a search by e-mail address returns the conversations of at most this many users
EDITABLE = ("title", "model", "tags", "notebooks", "is_pinned", "archived_at")
CURATED = ("tags", "archived_at")  # staff without superuser rights edit only these; the other fields are the user's own
SUMMARY = ("user", ("message_count", "prompt_tokens", "completion_tokens"), ("created_at", "active_at"))
# One label per line, because a tag can contain a comma.
LABELS = {
    "delimiter": "\n",
    "max_length": settings.LABELS_LIMIT,
    "show_hidden_initial": False,
    "widget": Textarea({"rows": 2}),
}
REPORTED_USAGE, METADATA = preformatted("reported_usage"), preformatted("metadata")
DETAILS = "id external_id source end_user title_is_auto last_seq tip_seq updated_at deleted_at".split()


@admin.register(Conversation)
class ConversationAdmin(ShowsContent, ConversationExports, actions.ConversationActions, BigTableAdmin):
    list_display = (
        title_and_preview,
        owner,
        message_count,
        tokens,
        model_and_source,
        tags,
        verdict,
        activity_and_state,
    )
    list_only = tuple(
        """title preview user__email user__name user__external_id message_count prompt_tokens completion_tokens model
        tags source active_at archived_at deleted_at tip_seq staff_read__seq""".split()
    )
    list_filter = FILTERS
    lookups = tuple(spec.parameter_name for spec in FILTERS)
    search_fields = ("title",)  # shows the search field; `find` searches
    search_help_text = gettext_lazy(
        "An id, an id that a client gave, a part of the title, or the beginning of the owner's e-mail address."
    )
    readonly_fields = (*flatten(SUMMARY), *DETAILS, REPORTED_USAGE, METADATA)
    fieldsets = (
        (None, {"fields": SUMMARY}),
        (gettext_lazy("Change"), {"fields": EDITABLE}),
        (gettext_lazy("Details"), {"fields": (*DETAILS, REPORTED_USAGE, METADATA), "classes": ("collapse",)}),
    )
    formfield_overrides = {ArrayField: LABELS}

    class Media:
        css = {"all": ["staff/transcript.css"]}

    def get_list_display(self, request: HttpRequest) -> Any:
        """Return the columns that the member of staff may see. The preview is a part of a message."""
        title = title_and_preview if request.user.has_perm("conversations.view_message") else marked_title
        columns = (title, *self.list_display[1:])
        return columns if request.user.has_perm(VIEW_REVIEWS) else [column for column in columns if column != verdict]

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Return the filters that this member of the staff may use."""
        return [spec for spec in FILTERS if not spec.permission or request.user.has_perm(spec.permission)]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ListWithVerdicts

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).select_related("user", "staff_read")
        if not request.user.has_perm(VIEW_HOLD):
            return rows
        return rows.annotate(hold_rows=holds_in_force(user="user", conversation="pk"))

    def find(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        return (queryset.filter(matching(search_term.strip())) if search_term else queryset), False

    def get_urls(self) -> list[Any]:
        edit = self.admin_site.admin_view(self.edit_view)
        return [path("<uuid:object_id>/edit/", edit, name="conversations_conversation_edit"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the conversation to read. The form is on a page of its own (`edit_view`)."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        conversation = reading.find(self.get_queryset(request), unquote(object_id))
        if conversation is None:
            return super().change_view(request, object_id)  # says that there is none
        if not self.has_view_permission(request, conversation):
            raise PermissionDenied
        context: dict[str, Any] = {"original": conversation, "opts": self.opts, "title": reading.title(conversation)}
        if request.user.has_perm("conversations.view_message"):
            context |= reading.read(request, conversation)
            record(request, Action.READ_TRANSCRIPT, conversation, messages=str(context["transcript"]))
            if not context["is_other_branch"]:
                record_read(conversation, context["transcript"].last)
        context |= panel.read_panels(request, conversation, context)
        if "fragment" in request.GET:
            return render(request, f"{TEMPLATES}/messages.html", context)
        context |= self.admin_site.each_context(request) | reading.read_surroundings(conversation, context)
        context |= hold_box(request, conversation)
        context["export_formats"] = export_formats()
        context["has_change_permission"] = self.has_change_permission(request, conversation)
        return render(request, f"{TEMPLATES}/transcript.html", context)

    def edit_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        return super().change_view(request, str(object_id))

    def response_change(self, request: HttpRequest, obj: Conversation) -> HttpResponse:
        """Show the transcript after a change, unless the form is to stay open."""
        answer = super().response_change(request, obj)  # adds the message about the change
        return answer if "_continue" in request.POST else redirect("admin:conversations_conversation_change", obj.pk)

    def save_model(self, request: HttpRequest, obj: Conversation, form: ModelForm, change: bool) -> None:
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        if changes:
            conversations.update(user=obj.user, conversation_id=obj.pk, changes=changes)

    def get_readonly_fields(self, request: HttpRequest, obj: Conversation | None = None) -> tuple[str, ...]:
        if request.user.is_superuser:
            return self.readonly_fields
        return (*self.readonly_fields, *(name for name in EDITABLE if name not in CURATED))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Forbid additions. Only the clients of users create conversations."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Conversation | None = None) -> bool:
        """Forbid changes of a conversation in the trash. Staff must restore it first."""
        return not (obj and obj.deleted_at) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Conversation | None = None) -> bool:
        """Forbid deletions by Django, because messages refer to the conversation. Staff use the actions instead."""
        return False


def matching(term: str) -> Q:
    """Return the condition of a search in the list. It reads conversations and users, but no messages."""
    if id := parse_uuid(term):
        return Q(id=id) | Q(external_id=term) | Q(user=id)
    owners = User.objects.filter(email__lower__startswith=term.lower()).values_list("pk", flat=True)[:MAX_OWNERS]
    # A list, because PostgreSQL chooses bad plans for a subquery in a disjunction.
    return Q(title__icontains=term) | Q(external_id=term) | Q(user__in=list(owners))
