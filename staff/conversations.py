from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.utils import flatten
from django.contrib.postgres.fields import ArrayField
from django.db.models import Q, QuerySet
from django.forms import ModelForm, Textarea
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from accounts.models import User
from conversations.models import Conversation
from conversations.services import conversations

from . import actions, transcript
from .audit import record
from .big_tables import BigTableAdmin
from .fields import ConversationStateFilter, active, message_count, preformatted, short_title, state
from .models import Action
from .reasons import ShowsContent

MAX_OWNERS = 100  # a search by e-mail address returns the conversations of at most this many users
EDITABLE = ("title", "model", "tags", "notebooks", "is_pinned", "archived_at")
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
class ConversationAdmin(ShowsContent, actions.ConversationActions, BigTableAdmin):
    list_display = (short_title, "user", message_count, active, state, "model", "source")
    list_select_related = ("user",)
    list_only = tuple(
        "title user__email user__name model source message_count archived_at deleted_at active_at".split()
    )
    list_filter = (ConversationStateFilter, "is_pinned")
    lookups = ("state", "is_pinned__exact", "user")
    search_fields = ("title",)  # shows the search box; get_search_results searches
    search_help_text = gettext_lazy(
        "An id, the id of a client, a part of the title, or the beginning of the owner's e-mail address."
    )
    readonly_fields = (*flatten(SUMMARY), *DETAILS, REPORTED_USAGE, METADATA)
    fieldsets = (
        (None, {"fields": SUMMARY}),
        (gettext_lazy("Change"), {"fields": EDITABLE, "classes": ("collapse",)}),
        (gettext_lazy("Details"), {"fields": (*DETAILS, REPORTED_USAGE, METADATA), "classes": ("collapse",)}),
    )
    formfield_overrides = {ArrayField: LABELS}

    class Media:
        css = {"all": ["staff/transcript.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("user")

    def find(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        return (queryset.filter(matching(search_term.strip())) if search_term else queryset), False

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        if request.user.has_perm("conversations.view_message"):
            context["transcript"] = _read(request, kwargs["obj"])
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Conversation, form: ModelForm, change: bool) -> None:
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        if changes:
            conversations.update(user=obj.user, conversation_id=obj.pk, changes=changes)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Staff cannot create conversations. Only the clients of users create them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Conversation | None = None) -> bool:
        """A conversation in the trash cannot be changed. Restore it first."""
        return not (obj and obj.deleted_at) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Conversation | None = None) -> bool:
        """Django cannot delete conversations, because messages refer to them. Staff use the actions instead."""
        return False


def matching(term: str) -> Q:
    """Return the condition for a search. The search reads conversations and users, but no messages."""
    try:
        id = UUID(term)
    except ValueError:
        owners = User.objects.filter(email__lower__startswith=term.lower()).values_list("pk", flat=True)[:MAX_OWNERS]
        return Q(title__icontains=term) | Q(external_id=term) | Q(user__in=list(owners))
    return Q(id=id) | Q(external_id=term) | Q(user=id)


def _read(request: HttpRequest, conversation: Conversation) -> transcript.Transcript:
    """Return a page of the transcript. Add an event, because staff read the conversation of another person."""
    page = transcript.read_page(conversation, request.GET)
    record(request, Action.READ_TRANSCRIPT, conversation, messages=str(page))
    return page
