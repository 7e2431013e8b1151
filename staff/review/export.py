"""The export of what was reviewed, made while it is sent.

One batch of reviews and the messages of one review are in memory. No database connection is open while the client
reads. Reviews that are added meanwhile are left out."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

import orjson
from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.validators import MaxValueValidator
from django.db.models import ExpressionWrapper, Q, QuerySet, TextField
from django.db.models.functions import Length
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy

from chatstore.database import release_connection
from conversations.models import Message
from staff.audit import record, record_each
from staff.filters import A_DAY, start_of
from staff.models import Action, AuditEvent, Label, Note, Review
from staff.rights import require_present_rights
from staff.transcript.page import TEXTS

from .changes import CHANGE

PERMISSIONS = (CHANGE, "conversations.view_conversation", "conversations.view_message")
BATCH = 100  # reviews in memory at a time
CONTEXT = 100  # the most messages before a message
CONTEXT_CHARACTERS = 2_000_000  # of the texts of these messages; the newest ones are kept
LAST_DAY = date(9000, 1, 1)  # no day follows the last one that Python knows
ROLES = ("system", "developer", "user", "assistant")  # in the format for fine-tuning
COLUMNS = """conversation__user_id done_at done_by_id label__name message__conversation_id message__seq message__role
    message__model message__is_active""".split()

Line = dict[str, Any]
OnBatch = Callable[[list[Review]], object]  # called before a batch is sent


class ExportForm(forms.Form):
    """Selects the reviews and the format. With ADMIN_REQUIRE_REASON, it requires a reason."""

    form = forms.ChoiceField(choices=[("jsonl", "JSONL"), ("chat", "Chat")])
    label = forms.ModelChoiceField(Label.objects.all(), required=False)
    since = forms.DateField(required=False, validators=[MaxValueValidator(LAST_DAY)])
    until = forms.DateField(required=False, validators=[MaxValueValidator(LAST_DAY)])
    context = forms.BooleanField(required=False)
    reason = forms.CharField(max_length=AuditEvent._meta.get_field("reason").max_length, required=False)

    def clean_reason(self) -> str:
        reason: str = self.cleaned_data["reason"]
        if settings.ADMIN_REQUIRE_REASON and not reason:
            raise forms.ValidationError(gettext_lazy("A reason is required."))
        return reason

    def clean(self) -> dict[str, Any]:
        """Require a label for fine-tuning, because a model would learn from bad answers, too."""
        values: dict[str, Any] = self.cleaned_data
        if values.get("form") == "chat" and not values.get("label"):
            self.add_error("label", gettext_lazy("Choose the label of the messages from which a model should learn."))
        return values


def download(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Send the reviews with a verdict. Adds an event about the download. Raises PermissionDenied.

    Redirects to the page with the form, which shows the errors, if a value is missing or wrong."""
    if not request.user.has_perms(PERMISSIONS):
        raise PermissionDenied
    form = ExportForm(request.GET)
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return redirect("admin:review")
    choice = form.cleaned_data
    filters = [f"{name}={value}" for name in form.fields if name != "reason" and (value := request.GET.get(name))]
    export = record(request, Action.EXPORT, Review, filters=filters, reason=choice["reason"])
    on_batch = partial(_record_batch, request, export)
    reviews = select(choice["label"], choice["since"], choice["until"])
    if choice["form"] == "chat":
        lines = chat_lines(reviews, on_batch)
    else:
        lines = verdict_lines(reviews, on_batch, with_context=choice["context"])
    name = f"review-{choice['form']}-{timezone.now():%Y-%m-%d}.jsonl"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(_encode(lines), content_type="application/jsonl", headers=headers)


def _record_batch(request: HttpRequest, export: AuditEvent, reviews: list[Review]) -> None:
    """Add an event for each conversation, so that its history and its owner's list of readings contain the export.

    Raises PermissionDenied if the person has no right to export any more."""
    require_present_rights(request, *PERMISSIONS)
    conversations = {review.conversation_id: review.conversation for review in reviews}
    record_each(request, Action.EXPORT, conversations.values(), reason=export.reason, export=export.pk)


def select(label: Label | None, since: date | None, until: date | None) -> QuerySet[Review]:
    """Return the reviews with this verdict, or with any verdict, of a period of days in UTC."""
    rows = Review.objects.filter(label=label) if label else Review.objects.filter(label__isnull=False)
    rows = rows.filter(Q(message=None) | Q(message__deleted_at=None), conversation__deleted_at=None)
    if since:
        rows = rows.filter(done_at__gte=start_of(since))
    return rows.filter(done_at__lt=start_of(until) + A_DAY) if until else rows


def verdict_lines(reviews: QuerySet[Review], on_batch: OnBatch, *, with_context: bool) -> Iterator[Line]:
    """Yield a line for each verdict. With context, it also has the messages before the message."""
    for review, notes in _read(reviews, on_batch):
        line = {
            "conversation_id": review.conversation_id,
            "message_id": review.message_id,
            "seq": review.message and review.message.seq,
            "verdict": review.label and review.label.name,
            "by": review.done_by_id,
            "at": review.done_at,
            "notes": [{"by": note.author_id, "at": note.at, "text": note.text} for note in notes],
        }
        if review.message:
            rows = read_path(review.message, 1 + (CONTEXT if with_context else 0))
            line |= {"role": review.message.role, "model": review.message.model, "text": rows[-1]["content"]}
            line |= {"before": rows[:-1]} if with_context else {}
        yield line


def chat_lines(reviews: QuerySet[Review], on_batch: OnBatch) -> Iterator[Line]:
    """Yield OpenAI's format for fine-tuning for each message with a verdict: the messages up to it.

    Leaves out conversations as a whole, and messages that are not a text of the assistant."""
    for review, _ in _read(reviews.filter(message__role="assistant"), on_batch):
        assert review.message
        rows = [row for row in read_path(review.message, 1 + CONTEXT) if row["role"] in ROLES and row["content"]]
        if rows and rows[-1]["seq"] == review.message.seq:
            yield {"messages": [{"role": row["role"], "content": row["content"]} for row in rows]}


def read_path(message: Message, count: int) -> list[Line]:
    """Return the newest `count` messages on the path to a message, in order: `seq`, `role` and `content`.

    Leaves out the oldest ones if the texts exceed CONTEXT_CHARACTERS, but never the message itself."""
    path = Message.objects.path_to(message).annotate(content_text=ExpressionWrapper(TEXTS["text"], TextField()))
    sizes = path.order_by("-seq").values_list("seq", Length("content_text"))[:count]
    fitting: list[int] = []
    total = 0
    for seq, size in sizes:
        total += size or 0
        if fitting and total > CONTEXT_CHARACTERS:
            break
        fitting.append(seq)
    rows = path.filter(seq__in=fitting).values("seq", "role", "content_text")
    release_connection()
    return [{"seq": row["seq"], "role": row["role"], "content": row["content_text"]} for row in rows]


def _read(reviews: QuerySet[Review], on_batch: OnBatch) -> Iterator[tuple[Review, list[Note]]]:
    """Yield the reviews and the notes about their objects. Executes two statements for each batch."""
    rows = reviews.order_by("pk").select_related("conversation", "message", "label").only(*COLUMNS)
    last = None
    while batch := list((rows.filter(pk__gt=last) if last else rows)[:BATCH]):
        on_batch(batch)
        notes = _read_notes(batch)
        release_connection()
        yield from ((review, notes[review.conversation_id, review.message_id]) for review in batch)
        last = batch[-1].pk


def _read_notes(reviews: list[Review]) -> dict[tuple[UUID, UUID | None], list[Note]]:
    notes = defaultdict(list)
    about_conversations = Q(
        message=None, conversation__in=[row.conversation_id for row in reviews if not row.message_id]
    )
    about_messages = Q(message__in=[row.message_id for row in reviews if row.message_id])
    for note in Note.objects.filter(about_conversations | about_messages).order_by("pk"):
        notes[note.conversation_id, note.message_id].append(note)
    return notes


def _encode(lines: Iterator[Line]) -> Iterator[bytes]:
    for line in lines:
        yield orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z)
