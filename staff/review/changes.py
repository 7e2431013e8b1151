"""The changes of reviews and notes. Each change and its audit event share a transaction. Each raises Http404 if the
object is gone.

An object is a message, or a conversation as a whole. It has at most one review, a row that the first verdict,
assignment or "looked at" creates. Several members of staff can do this at the same time, so each change is one INSERT
that becomes an UPDATE if the row exists."""

from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse

from accounts.models import User
from chatstore.ids import new_id
from conversations.models import Conversation, Message
from staff.audit import record
from staff.models import Action, Label, Note, Review

VIEW, CHANGE = "staff.view_review", "staff.change_review"
# Assign an object to a user, unless it is done or another user has it. The row that is locked first cannot be deleted
# meanwhile. If two transactions insert the same review, the second one waits for the first, and then sees its assignee.
TAKE = """INSERT INTO review (id, conversation_id, message_id, assignee_id)
    SELECT %(id)s, locked.* FROM (SELECT {columns}, %(user)s::uuid AS taker FROM {table} WHERE id = %(object)s
        FOR KEY SHARE) locked
    ON CONFLICT (conversation_id, message_id) DO UPDATE SET assignee_id = excluded.assignee_id
    WHERE review.done_at IS NULL AND coalesce(review.assignee_id, excluded.assignee_id) = excluded.assignee_id
    RETURNING id"""
TAKE_MESSAGE = TAKE.format(columns="conversation_id, id", table="message")
TAKE_CONVERSATION = TAKE.format(columns="id, NULL::uuid", table="conversation")


@dataclass(frozen=True)
class Target:
    """The object of a review. `message` is None for a conversation as a whole."""

    conversation: Conversation
    message: Message | None = None

    @property
    def seq(self) -> int:
        return self.message.seq if self.message else 0

    @property
    def url(self) -> str:
        """Return the address of the object in the transcript of its conversation."""
        return transcript_url(self.conversation.pk, self.seq)


def transcript_url(conversation: UUID, seq: int, queue: str = "") -> str:
    """Return the address of a message in its transcript, or of the transcript if `seq` is 0."""
    query = {name: str(value) for name, value in {"at": seq, "queue": queue}.items() if value}
    path = reverse("admin:conversations_conversation_change", args=[conversation], query=query)
    return f"{path}#message-{seq}" if seq else path


def find_target(conversation_id: UUID, seq: int) -> Target:
    """Return the conversation, or its message with this `seq` unless that is 0. Raises Http404."""
    conversations = Conversation.objects.kept().only("user_id")
    conversation = get_object_or_404(conversations, pk=conversation_id)
    if not seq:
        return Target(conversation)
    messages = conversation.messages.kept().only("user_id", "conversation_id", "seq")
    return Target(conversation, get_object_or_404(messages, seq=seq))


@transaction.atomic
def judge(request: HttpRequest, target: Target, label: Label) -> None:
    """Store a verdict. It replaces the verdict that the object has."""
    _store(target, label=label, done_by=request.user, done_at=Now())
    _record(request, Action.VERDICT, target, verdict=label.name)


@transaction.atomic
def mark_as_looked_at(request: HttpRequest, target: Target) -> None:
    """Take an object out of the queues. A verdict that it has stays."""
    _store(target, done_by=request.user, done_at=Now())
    _record(request, Action.VERDICT, target, looked_at=True)


@transaction.atomic
def reopen(request: HttpRequest, target: Target) -> None:
    """Remove the verdict of an object, or the mark that somebody has looked at it."""
    _store(target, label=None, done_by=None, done_at=None)
    _record(request, Action.VERDICT, target, removed=True)


@transaction.atomic
def assign(request: HttpRequest, target: Target, assignee: User | None) -> None:
    """Assign an object to a member of staff, or to nobody. Raises PermissionDenied if they may not review."""
    if assignee and not reviewers().filter(pk=assignee.pk).exists():
        raise PermissionDenied
    _store(target, assignee=assignee)
    _record(request, Action.ASSIGN, target, to=assignee and assignee.pk)


@transaction.atomic
def add_note(request: HttpRequest, target: Target, text: str) -> None:
    _lock(target)
    note = Note.objects.create(
        conversation=target.conversation, message=target.message, author=cast(User, request.user), text=text
    )
    _record(request, Action.NOTE, target, note=note.pk)


@transaction.atomic
def delete_note(request: HttpRequest, note_id: UUID) -> Target:
    """Delete a note of the user, and return its object. Raises Http404 if the note is of somebody else."""
    note = get_object_or_404(Note.objects.select_related("message", "conversation"), pk=note_id, author=request.user)
    target = Target(note.conversation, note.message)
    note.delete()
    _record(request, Action.NOTE, target, note=note_id, deleted=True)
    return target


def take(request: HttpRequest, row: Any) -> bool:
    """Assign an item of a queue to the user. Return False if it is done or deleted, or if another user has it."""
    statement = TAKE_MESSAGE if isinstance(row, Message) else TAKE_CONVERSATION
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, {"id": new_id(), "user": request.user.pk, "object": row.pk})
        if cursor.fetchone() is None:
            return False
        if row.assignee_id != request.user.pk:
            record(request, Action.ASSIGN, row, to=request.user.pk)
    return True


def reviewers() -> QuerySet[User]:
    """Return the members of staff who may review."""
    codename = CHANGE.partition(".")[2]
    allowed = Q(is_superuser=True)
    for path in ("groups__permissions", "user_permissions"):
        allowed |= Q(**{f"{path}__codename": codename, f"{path}__content_type__app_label": "staff"})
    return User.objects.filter(allowed, is_staff=True, is_active=True).distinct()


def find_reviewer(id: UUID | None) -> User:
    """Return a member of staff who may review. Raises Http404."""
    if id is None:
        raise Http404
    return get_object_or_404(reviewers(), pk=id)


def _lock(target: Target) -> None:
    """Lock the conversation, so that the object is not purged or forgotten meanwhile: what is written about it must not
    outlive it. Raises Http404 if the object is gone."""
    conversation = get_object_or_404(Conversation.objects.kept().only("pk").locked(), pk=target.conversation.pk)
    if target.message:
        get_object_or_404(conversation.messages.kept().only("pk"), pk=target.message.pk)


def _store(target: Target, **values: Any) -> None:
    _lock(target)
    Review.objects.bulk_create(
        [Review(conversation=target.conversation, message=target.message, **values)],
        update_conflicts=True,
        unique_fields=["conversation", "message"],
        update_fields=list(values),
    )


def _record(request: HttpRequest, action: Action, target: Target, **details: Any) -> None:
    conversation = target.message and target.conversation.pk
    record(request, action, target.message or target.conversation, conversation=conversation, **details)
