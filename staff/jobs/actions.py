"""The actions on conversations, for the ticked rows of the list and for jobs. Each calls a service and is audited."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy

from conversations.models import Conversation, Share
from conversations.querysets import ConversationQuerySet
from conversations.services import conversations, shares
from staff.audit import By, id_of, record
from staff.models import Action

CHANGE = "conversations.change_conversation"
DELETE = "conversations.delete_conversation"
SUPERUSER = "superuser"  # no permission, so that nobody can grant it
IS_SHARED = Exists(Share.objects.filter(conversation=OuterRef("pk")))


class ConversationAction(NamedTuple):
    """`select` keeps the rows that the action can change. `service` changes one row. The texts are for pages."""

    label: Any  # a lazy text, as the next two
    summary: Any  # with {count}
    effect: Any
    right: str
    select: Callable[[ConversationQuerySet, str], ConversationQuerySet]
    service: Callable[..., object]  # takes the owner, the id of the conversation and the tag; see `perform`
    event: Action
    details: dict[str, Any]
    has_tag: bool = False
    is_final: bool = False

    def is_allowed_to(self, user: Any) -> bool:
        return bool(user.is_superuser if self.right == SUPERUSER else user.has_perm(self.right))


ACTIONS = {
    "trash": ConversationAction(
        gettext_lazy("Move to trash"),
        gettext_lazy("Conversations moved to the trash: {count}."),
        gettext_lazy("This moves live conversations to the trash, from which you can restore them."),
        DELETE,
        lambda rows, tag: rows.live(),
        lambda user, id, tag: conversations.trash(user=user, conversation_id=id),
        Action.TRASH,
        {},
    ),
    "restore": ConversationAction(
        gettext_lazy("Restore"),
        gettext_lazy("Conversations restored: {count}."),
        gettext_lazy("This takes conversations out of the trash. Their owners see them again."),
        DELETE,
        lambda rows, tag: rows.trashed(),
        lambda user, id, tag: conversations.restore(user=user, conversation_id=id),
        Action.RESTORE,
        {},
    ),
    "add_tag": ConversationAction(
        gettext_lazy("Add a tag"),
        gettext_lazy("Conversations that got the tag: {count}."),
        gettext_lazy("This adds a tag to live conversations that do not have it. Their owners see the tag."),
        CHANGE,
        lambda rows, tag: rows.live().exclude(tags__contains=[tag]),
        lambda user, id, tag: conversations.add_tag(user=user, conversation_id=id, tag=tag),
        Action.CHANGE,
        {"fields": ["tags"]},
        has_tag=True,
    ),
    "remove_tag": ConversationAction(
        gettext_lazy("Remove a tag"),
        gettext_lazy("Conversations that lost the tag: {count}."),
        gettext_lazy("This removes a tag from live conversations that have it."),
        CHANGE,
        lambda rows, tag: rows.live().filter(tags__contains=[tag]),
        lambda user, id, tag: conversations.remove_tag(user=user, conversation_id=id, tag=tag),
        Action.CHANGE,
        {"fields": ["tags"]},
        has_tag=True,
    ),
    "archive": ConversationAction(
        gettext_lazy("Archive"),
        gettext_lazy("Conversations archived: {count}."),
        gettext_lazy("This archives live conversations. Their owners find them in the archive."),
        CHANGE,
        lambda rows, tag: rows.listed(),
        lambda user, id, tag: conversations.update(user=user, conversation_id=id, changes={"is_archived": True}),
        Action.CHANGE,
        {"fields": ["archived_at"]},
    ),
    "unarchive": ConversationAction(
        gettext_lazy("Take out of the archive"),
        gettext_lazy("Conversations taken out of the archive: {count}."),
        gettext_lazy("This takes conversations out of the archive. Their owners see them in the list again."),
        CHANGE,
        lambda rows, tag: rows.live().filter(archived_at__isnull=False),
        lambda user, id, tag: conversations.update(user=user, conversation_id=id, changes={"is_archived": False}),
        Action.CHANGE,
        {"fields": ["archived_at"]},
    ),
    "end_shares": ConversationAction(
        gettext_lazy("End the shares"),
        gettext_lazy("Conversations whose shares were ended: {count}."),
        gettext_lazy("This ends all shares of these conversations. Their links stop working at once."),
        DELETE,
        lambda rows, tag: rows.filter(IS_SHARED),
        lambda user, id, tag: shares.revoke_all(user=user, conversation_id=id),
        Action.END_SHARES,
        {},
    ),
    "purge": ConversationAction(
        gettext_lazy("Delete for good"),
        gettext_lazy("Conversations deleted for good: {count}."),
        gettext_lazy("This deletes these conversations and all their messages. It cannot be undone."),
        SUPERUSER,
        lambda rows, tag: rows,
        lambda user, id, tag, **options: conversations.purge(user=user, conversation_id=id, **options),
        Action.DELETE,
        {},
        is_final=True,
    ),
}


def perform(action: ConversationAction, by: By, conversation: Conversation, tag: str) -> None:
    """Run an action on one conversation, and add its event. Raises a ServiceError if the service refuses it."""
    if action.is_final:
        # The event is stored with the beginning of the deletion, which runs many transactions.
        event = partial(record_action, action, by, conversation)
        action.service(conversation.user, conversation.pk, tag, asked_by=id_of(by), on_begin=event)
        return
    with transaction.atomic():
        action.service(conversation.user, conversation.pk, tag)
        record_action(action, by, conversation)


def record_action(action: ConversationAction, by: By, conversation: Conversation, **details: Any) -> None:
    record(by, action.event, conversation, **action.details, **details)
