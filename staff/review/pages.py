"""The pages of reviews: the queues, and the forms for verdicts, notes, assignments and saved filters."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, cast
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Left
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext, gettext_lazy

from accounts.models import User
from chatstore.errors import Invalid
from chatstore.ids import parse_uuid
from conversations.models import Conversation, Message
from staff.audit import record
from staff.fields import MARKS, ago
from staff.filters import without_address
from staff.matching import without_paging
from staff.models import Action, Label, Note, Review, SavedFilter
from staff.transcript.reading import ROLES

from . import changes, export
from .changes import CHANGE, VIEW, Target, find_target, transcript_url
from .queues import Queue, count_items, find_queue, fixed_queues, read_first, saved_queues, take_next
from .verdicts import read_labels

SEE = (VIEW, "conversations.view_conversation")
SHOWN = 50  # items on a page
EXCERPT = 200  # characters
MOST_FILTERS = 20  # saved filters
ASSIGNED = {"": gettext_lazy("All"), "me": gettext_lazy("Mine"), "nobody": gettext_lazy("Assigned to nobody")}


class NoteForm(forms.ModelForm):
    class Meta:
        model = Note
        fields = ("text",)


class FilterForm(forms.ModelForm):
    class Meta:
        model = SavedFilter
        fields = ("name", "query")

    def clean_query(self) -> str:
        """Return the query of the list, without a question mark, the page and the e-mail address of an owner.

        Raises ValidationError for search words, because such a queue would read all titles for each count."""
        query = without_paging(QueryDict(self.cleaned_data["query"].removeprefix("?")))
        if "q" in query:
            raise forms.ValidationError(gettext("A queue cannot have search words. Use the filters of the list."))
        return without_address(query).urlencode()


def review_page(request: HttpRequest) -> TemplateResponse:
    """Show the queues with their counts, and what is assigned to the user. Raises PermissionDenied."""
    _require(request, VIEW)
    may_see = request.user.has_perms(SEE)
    fixed, saved = fixed_queues(), saved_queues(request) if may_see else []
    counts = count_items([*fixed, *saved], cast(User, request.user).pk)
    context = {
        **admin.site.each_context(request),
        "title": gettext("Review"),
        "queues": [(queue, counts[queue.key]) for queue in fixed],
        "saved": [(queue, counts[queue.key]) for queue in saved],
        "mine": _assigned_to(cast(User, request.user)) if may_see else [],
        "may_review": request.user.has_perm(CHANGE),
        "may_export": request.user.has_perms(export.PERMISSIONS),
        "labels": read_labels(request),
        "asks_reason": settings.ADMIN_REQUIRE_REASON,
    }
    return TemplateResponse(request, "admin/review/index.html", context)


def queue_page(request: HttpRequest, key: str) -> TemplateResponse:
    """Show the newest items of a queue. Raises PermissionDenied or Http404."""
    _require(request, *SEE)
    queue = find_queue(request, key)
    assigned = request.GET.get("assigned", "")
    may_review = request.user.has_perm(CHANGE)
    context = {
        **admin.site.each_context(request),
        "title": queue.name,
        "queue": queue,
        "count": count_items([queue], cast(User, request.user).pk)[queue.key],
        "items": _read_items(request, queue, assigned),
        "assigned": assigned,
        "choices": ASSIGNED.items(),
        "reviewers": changes.reviewers().order_by("email") if may_review else [],
        "may_review": may_review,
    }
    return TemplateResponse(request, "admin/review/queue.html", context)


def _assigned_to(user: User) -> list[dict[str, Any]]:
    rows = Review.objects.filter(assignee=user, done_at=None).order_by("-pk").select_related("conversation", "message")
    rows = rows.only("conversation__title", "message__seq", "message__role")
    return [_item(row.conversation, row.message) for row in rows[:SHOWN]]


def _read_items(request: HttpRequest, queue: Queue, assigned: str) -> list[dict[str, Any]]:
    """Return the newest items for the template. Without the right to read messages, they have no excerpt.

    Return none, and show a message, if finding them takes too long."""
    items = queue.items()
    if assigned in ("me", "nobody"):
        items = items.filter(assignee_id=request.user.pk if assigned == "me" else None)
    is_message = items.model is Message
    names = ("conversation__title", "role", "model", "error") if is_message else ("title", "preview", "model")
    rows = items.only(*names, *(("seq", "created_at") if is_message else ("active_at",)), "user__email", "user__name")
    rows = rows.select_related("user", *(["conversation"] if is_message else []))
    if is_message:
        rows = rows.defer("error").annotate(excerpt=Left("content", EXCERPT), problem=Left("error", EXCERPT))
    else:
        rows = rows.annotate(excerpt=F("preview"))
    try:
        shown = read_first(rows, SHOWN)
    except Invalid:
        shown = []
        _say_too_slow(request)
    people = User.objects.in_bulk({row.assignee_id for row in shown if row.assignee_id})
    may_read = request.user.has_perm("conversations.view_message") and not settings.ADMIN_REQUIRE_REASON
    return [_queued(row, people.get(row.assignee_id), queue, may_read) for row in shown]


def _queued(row: Any, assignee: User | None, queue: Queue, may_read: bool) -> dict[str, Any]:
    is_message = isinstance(row, Message)
    item = _item(row.conversation if is_message else row, row if is_message else None, queue.key)
    excerpt = MARKS.sub("", row.excerpt or (row.problem if is_message else "")) if may_read else ""
    time = row.created_at if is_message else row.active_at
    return item | {"excerpt": excerpt, "owner": row.user, "model": row.model, "assignee": assignee, "time": ago(time)}


def _item(conversation: Conversation, message: Message | None, queue: str = "") -> dict[str, Any]:
    seq = message.seq if message else 0
    return {
        "title": conversation.title[:EXCERPT] or gettext("(no title)"),
        "message": message,
        "role": ROLES.get(message.role, message.role) if message else "",
        "value": f"{conversation.pk}:{seq}",
        "url": transcript_url(conversation.pk, seq, queue),
    }


def _require(request: HttpRequest, *permissions: str) -> None:
    if not request.user.has_perms(permissions):
        raise PermissionDenied


def _changes_reviews(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Return a view that refuses other methods than POST, and users who may not review."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        _require(request, CHANGE, *SEE)
        return view(request, *args, **kwargs) if request.method == "POST" else HttpResponseNotAllowed(["POST"])

    return checked


@_changes_reviews
def next_view(request: HttpRequest, key: str) -> HttpResponse:
    """Assign the next item after the position in `after` to the user, and open it."""
    return _open_next(request, key, parse_uuid(request.POST.get("after", "")))


@_changes_reviews
def verdict_view(request: HttpRequest, conversation_id: UUID, seq: int) -> HttpResponse:
    """Store the verdict, the mark "looked at", or the removal of both. Then open the next item of the queue, if any."""
    target = find_target(conversation_id, seq)
    choice = request.POST.get("verdict", "")
    if choice == "looked_at":
        changes.mark_as_looked_at(request, target)
    elif choice == "none":
        changes.reopen(request, target)
    else:
        changes.judge(request, target, _find_label(choice))
    queue = request.POST.get("queue", "")
    if queue and choice != "none" and "is_item" in request.POST:
        return _open_next(request, queue, (target.message or target.conversation).pk)
    return redirect(transcript_url(conversation_id, seq, queue))


@_changes_reviews
def note_view(request: HttpRequest, conversation_id: UUID, seq: int) -> HttpResponse:
    target = find_target(conversation_id, seq)
    form = NoteForm(request.POST)
    if form.is_valid():
        changes.add_note(request, target, form.cleaned_data["text"])
    else:
        _show_errors(request, form)
    return _back(request, target)


@_changes_reviews
def delete_note_view(request: HttpRequest, note_id: UUID) -> HttpResponse:
    return _back(request, changes.delete_note(request, note_id))


@_changes_reviews
def assign_view(request: HttpRequest) -> HttpResponse:
    """Assign the chosen objects, at most SHOWN, to the user ("me"), to nobody, or to a member of staff (an id)."""
    choice = request.POST.get("assignee", "")
    if choice == "nobody":
        assignee = None
    else:
        assignee = cast(User, request.user) if choice == "me" else changes.find_reviewer(parse_uuid(choice))
    targets = [_parse_target(value) for value in request.POST.getlist("item")[:SHOWN]]
    for target in targets:
        changes.assign(request, target, assignee)
    if "from_queue" in request.POST:
        return redirect("admin:review_queue", find_queue(request, request.POST.get("queue", "")).key)
    return _back(request, targets[0]) if targets else redirect("admin:review")


@_changes_reviews
def save_filter_view(request: HttpRequest) -> HttpResponse:
    form = FilterForm(request.POST)
    if SavedFilter.objects.count() >= MOST_FILTERS:
        text = gettext("There are {count} saved filters. Delete one before you save another.")
        messages.error(request, text.format(count=MOST_FILTERS))
    elif form.is_valid():
        with transaction.atomic():
            record(request, Action.ADD, form.save())
    else:
        _show_errors(request, form)
    return redirect("admin:review")


@_changes_reviews
def delete_filter_view(request: HttpRequest, filter_id: UUID) -> HttpResponse:
    saved = get_object_or_404(SavedFilter, pk=filter_id)
    with transaction.atomic():
        record(request, Action.DELETE, saved)
        saved.delete()
    return redirect("admin:review")


def _open_next(request: HttpRequest, key: str, after: UUID | None) -> HttpResponse:
    queue = find_queue(request, key)
    try:
        row = take_next(request, queue, after)
    except Invalid:
        _say_too_slow(request)
        return redirect("admin:review")
    if row is None:
        messages.info(request, gettext("This was the last item of the queue."))
        return redirect("admin:review_queue", key)
    if isinstance(row, Message):
        return redirect(transcript_url(row.conversation_id, row.seq, key))
    return redirect(transcript_url(row.pk, 0, key))


def _back(request: HttpRequest, target: Target) -> HttpResponse:
    return redirect(transcript_url(target.conversation.pk, target.seq, request.POST.get("queue", "")))


def _find_label(text: str) -> Label:
    if not text.isdecimal() or len(text) > 9:
        raise Http404
    return get_object_or_404(Label, pk=text, is_active=True)


def _parse_target(value: str) -> Target:
    """Return the object with this conversation and `seq`, such as "<uuid>:7". Raises Http404."""
    id, _, seq = value.partition(":")
    conversation_id = parse_uuid(id)
    if conversation_id is None or not seq.isdecimal() or len(seq) > 9:
        raise Http404
    return find_target(conversation_id, int(seq))


def _say_too_slow(request: HttpRequest) -> None:
    messages.error(request, gettext("Finding these conversations takes too long. Use other filters."))


def _show_errors(request: HttpRequest, form: forms.BaseForm) -> None:
    texts: Iterable[str] = (str(error) for errors in form.errors.values() for error in errors)
    messages.error(request, " ".join(texts))


def urls(site: admin.AdminSite) -> list[Any]:
    """Return the URLs of these pages. Their names begin with `review`."""
    pages: dict[str, tuple[str, Callable[..., Any]]] = {
        "review": ("review/", review_page),
        "review_queue": ("review/queue/<slug:key>/", queue_page),
        "review_next": ("review/queue/<slug:key>/next/", next_view),
        "review_verdict": ("review/<uuid:conversation_id>/<int:seq>/verdict/", verdict_view),
        "review_note": ("review/<uuid:conversation_id>/<int:seq>/note/", note_view),
        "review_note_delete": ("review/note/<uuid:note_id>/delete/", delete_note_view),
        "review_assign": ("review/assign/", assign_view),
        "review_filter_save": ("review/filter/", save_filter_view),
        "review_filter_delete": ("review/filter/<uuid:filter_id>/delete/", delete_filter_view),
        "review_export": ("review/export/", export.download),
    }
    return [path(route, site.admin_view(view), name=name) for name, (route, view) in pages.items()]
