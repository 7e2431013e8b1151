"""The reads of conversations and messages.

Every read of user data names the owner: it begins with `owned_by(user)`, or its method has a parameter `user`. There
are three exceptions. A method that takes a row, such as `answer_to`, relies on the caller to have read that row with
its owner. `skeleton` takes the id of a conversation that a service has locked. `ShareQuerySet.open` takes the token of
a share, which is the permission to read it. Only the admin, housekeeping and erasure read across users. The SQL
statements are in `sql.py`.
"""

import re
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.db import connections, models
from django.db.models.expressions import RawSQL
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, Now

from chatstore import raw_sql
from chatstore.ids import as_uuid

from . import sql
from .columns import CONVERSATION_FIELDS, MESSAGE_FIELDS

if TYPE_CHECKING:
    from accounts.models import User

    from .drafts import MessageDraft, SyncProfile
    from .models import Conversation, Message, Share

# The `deleted_at` of an object that cannot be restored: a conversation whose purge has begun, or a message that was
# forgotten. The date is long past, so housekeeping treats an interrupted purge as expired trash and finishes it.
PURGING = datetime.fromisoformat("1970-01-01T00:00:00Z")
# A page of messages ends at its limit of rows or after this many bytes of JSON, but it has at least one row. A single
# message can have megabytes, and a page needs three times its size in memory.
PAGE_BYTES = 8_000_000


class OwnedQuerySet(models.QuerySet[Any]):
    """Objects that have an owner and can be in the trash."""

    def owned_by(self, user: "User") -> Self:
        return self.filter(user=user)

    def live(self) -> Self:
        """Return the objects that are not in the trash."""
        return self.filter(deleted_at__isnull=True)

    def kept(self) -> Self:
        """Return the live objects and those that can be restored."""
        return self.exclude(deleted_at=PURGING)

    def trashed(self) -> Self:
        """Return the objects that can be restored."""
        return self.filter(deleted_at__gt=PURGING)

    def _json_rows(self, shape: str, fields: tuple[str, ...]) -> list[str]:
        query, params = self.values(*fields).query.sql_with_params()
        with connections[self.db].cursor() as cursor:
            cursor.execute(shape % query, params)
            return [text for (text,) in cursor.fetchall()]


class ConversationQuerySet(OwnedQuerySet):
    """Conversations: lists of them, and locks on them."""

    def named(self, *names: str) -> Self:
        """Return the conversations with these names: their `external_id` or id.

        Two live conversations of a user do not share a name.
        """
        ids = [id for name in names if (id := as_uuid(name))]
        external_ids = [name for name in names if "\0" not in name]  # a URL can contain a NUL; PostgreSQL refuses it
        return self.filter(models.Q(external_id__in=external_ids) | models.Q(id__in=ids))

    def not_held(self) -> Self:
        """Return the conversations that no legal hold covers."""
        return self.with_held().filter(is_held=False)

    def with_held(self) -> Self:
        """Add `is_held`: whether a legal hold covers the row."""
        condition = sql.HELD.format(user="conversation.user_id", conversation="conversation.id")
        return self.alias(is_held=RawSQL(condition, [], models.BooleanField()))

    def listed(self) -> Self:
        """Return the conversations that are neither in the trash nor in the archive."""
        return self.live().filter(archived_at__isnull=True)

    def by_creation(self) -> Self:
        """Order by creation, newest first."""
        return self.order_by("-created_at", "-id")

    def before_creation(self, created_at: datetime | str, id: uuid.UUID | str) -> Self:
        """Return the rows that follow this position in the order `by_creation`."""
        rows: Self = self.extra(where=["(created_at, id) < (%s, %s)"], params=[created_at, id])  # type: ignore[assignment]
        return rows

    def displaying(self, drafts: Sequence["MessageDraft"]) -> Self:
        """Return the conversations whose active path has exactly the roles and texts of these drafts."""
        texts = [f"{draft['role']} {draft['content']}" for draft in drafts]
        size = sum(len(text.encode()) for text in texts)
        rows: Self = self.extra(where=[sql.DISPLAYS], params=[size, texts])  # type: ignore[assignment]
        return rows

    def by_activity(self) -> Self:
        """Order as in the sidebar: the conversation with the newest message first."""
        return self.order_by("-active_at", "-id")

    def before_activity(self, active_at: datetime, id: uuid.UUID) -> Self:
        """Return the rows that follow this position in the order `by_activity`.

        The comparison of rows reads one range of the sidebar's index; two separate conditions would not.
        """
        rows: Self = self.extra(where=["(active_at, id) < (%s, %s)"], params=[active_at, id])  # type: ignore[assignment]
        return rows

    def locked(self) -> Self:
        """Lock the rows for writes, in the order of their ids. Each gets `now`, the time for new values."""
        rows: Self = self.extra(select={"now": sql.NOW})  # type: ignore[assignment]
        return rows.select_for_update(no_key=True).order_by("id")

    def lock_one(self, user: "User", id: uuid.UUID) -> "Conversation | None":
        """Lock the user's live conversation and return it with `now`, or None if there is none."""
        statement = sql.LOCK_CONVERSATION.format(columns=raw_sql.columns(self.model))  # type: ignore[arg-type]
        row = raw_sql.fetch_row(statement, {"conversation": id, "user": user.pk})
        if row is None:
            return None
        conversation: Conversation = raw_sql.build_instance(self.model, row)
        conversation.now = row[-1]
        return conversation

    def json_texts(self) -> list[str]:
        """Return each conversation as JSON."""
        return self._json_rows(sql.CONVERSATION_JSON, CONVERSATION_FIELDS)

    def sidebar(self, user: "User", *, limit: int, after: tuple[datetime, uuid.UUID] | None) -> list[str]:
        """Return the user's listed conversations after a position, most recently active first, as JSON."""
        params = {"user": user.pk, "limit": limit}
        if after is None:
            return raw_sql.fetch_column(sql.SIDEBAR, params)
        return raw_sql.fetch_column(sql.SIDEBAR_AFTER, params | {"at": after[0], "id": after[1]})


class MessageQuerySet(OwnedQuerySet):
    """Messages, and pages of them.

    `transcript`, `tree`, `context` and `by_ids` return messages of one live conversation of the user as JSON, or None
    if there is no such conversation. An empty text at the end means that the page ended at PAGE_BYTES and that more
    messages follow. `transcript_before` and `tree_before` read backwards: the newest message comes first. With
    `fraction`, a page ends at this part of PAGE_BYTES.
    """

    def not_held(self) -> Self:
        """Return the messages that no legal hold covers."""
        return self.with_held().filter(is_held=False)

    def with_held(self) -> Self:
        """Add `is_held`: whether a legal hold covers the row."""
        condition = sql.HELD.format(user="message.user_id", conversation="message.conversation_id")
        return self.alias(is_held=RawSQL(condition, [], models.BooleanField()))

    def in_live_conversations(self) -> Self:
        """Return the live messages of live conversations."""
        return self.live().filter(conversation__deleted_at__isnull=True)

    def in_order(self) -> Self:
        """Return the live messages by `seq`."""
        return self.live().order_by("seq")

    def shown(self) -> Self:
        """Return the live messages on the active path, by `seq`."""
        return self.in_order().filter(is_active=True)

    def texts(self, *roles: str) -> Self:
        """Return the messages of these roles that have text."""
        return self.filter(item_type="message", role__in=roles, content__isnull=False)

    def said(self) -> Self:
        """Return the messages without replies that have no text, because they are under way or have failed."""
        return self.exclude(content="", status__in=sql.SILENT_STATUSES)

    def path_to(self, message: "Message") -> Self:
        """Return the live messages from the root of the conversation to this message, by `seq`."""
        if message.is_active:
            return self.shown().filter(conversation=message.conversation_id, seq__lte=message.seq)
        path = RawSQL(sql.PATH_TO, [message.conversation_id, message.seq, message.conversation_id])
        return self.in_order().filter(conversation=message.conversation_id, seq__in=path)

    def answer_to(self, question: "Message") -> "Message | None":
        """Return the live answer to a question. If there are several, prefer the active path, then the newest answer.

        An answer that chatstore requested names its question, because other messages can come between the two. Any
        other answer is a child of its question.
        """
        later = question.conversation.messages.live().texts("assistant").filter(seq__gt=question.seq)
        named = models.Q(question_id=str(question.id))
        child = models.Q(parent_seq=question.seq, question_id=None)
        answers = later.with_question().filter(named | child)
        answer: Message | None = answers.order_by("-is_active", "-seq").first()
        return answer

    def alternatives_of(self, message: "Message") -> list[uuid.UUID]:
        """Return the ids of the live messages at the place of a message, by `seq`: two or more, or none.

        Runs no statement if the conversation, as it is in memory, is linear."""
        if message.conversation.is_linear:
            return []
        rows = self.in_order().filter(conversation=message.conversation_id, parent_seq=message.parent_seq)
        ids = list(rows.values_list("id", flat=True))
        return ids if len(ids) > 1 else []

    def being_written(self) -> Self:
        """Return the messages that a reply under way fills. The app `replies` adds the relation."""
        return self.filter(reply__state__in=["queued", "running"])

    def written_so_far(self) -> dict[uuid.UUID, str]:
        """Return the text that the reply of each message has so far, for the messages that are being written."""
        text = RawSQL(sql.WRITTEN_SO_FAR, [])
        return dict(self.being_written().annotate(so_far=text).values_list("id", "so_far"))

    def with_question(self) -> Self:
        """Add `question_id`: the id of the question of an answer that chatstore requested, as a text, or null.

        It is in the request of the reply, a row that the app `replies` keeps for a day, and in the metadata, which a
        client can replace."""
        of_reply = KeyTextTransform("question", "reply__request")
        return self.annotate(question_id=Coalesce(of_reply, KeyTextTransform("answers", "metadata")))

    def by_conversation(self, ids: Iterable[uuid.UUID], *fields: str) -> dict[uuid.UUID, list[Any]]:
        """Return the shown messages by `seq` for each of these conversations, as named tuples of these fields.

        Building model instances would take several times as long.
        """
        shown = self.shown().filter(conversation__in=list(ids)).order_by("conversation_id", "seq")
        rows: dict[uuid.UUID, list[Any]] = defaultdict(list)
        for row in shown.values_list("conversation_id", *fields, named=True):
            rows[row.conversation_id].append(row)
        return rows

    def history_digests(
        self, user: "User", profile: "SyncProfile", histories: Iterable[tuple[uuid.UUID, int, int]]
    ) -> dict[uuid.UUID, bytes | None]:
        """Return the digest of each conversation whose history can be the one that a client sent.

        A history has the id of its conversation, its number of messages, and the size of its large texts in bytes.
        `sql.history_digests` explains the result.
        """
        ids, counts, sizes = zip(*histories, strict=True)
        visible = sql.visible(profile.visible_roles, profile.content_fields)
        statement = sql.history_digests(tuple(profile.fields_in_order), visible)
        params: dict[str, Any] = {"user": user.pk, "ids": list(ids), "counts": list(counts), "sizes": list(sizes)}
        with connections[self.db].cursor() as cursor:
            cursor.execute(statement, params)
            return dict(cursor.fetchall())

    def json_texts(self) -> list[str]:
        """Return each message as JSON."""
        return self._json_rows(sql.MESSAGE_JSON, MESSAGE_FIELDS)

    def transcript(
        self, user: "User", conversation_id: uuid.UUID, *, after: int, limit: int, fraction: float = 1
    ) -> list[str] | None:
        """Return the shown messages with a `seq` above `after`."""
        return self._read_owned(sql.TRANSCRIPT, user, conversation_id, fraction, after=after, limit=limit)

    def transcript_before(
        self, user: "User", conversation_id: uuid.UUID, *, before: int, limit: int, fraction: float = 1
    ) -> list[str] | None:
        """Return the shown messages with a `seq` below `before`, newest first."""
        return self._read_owned(sql.TRANSCRIPT_BEFORE, user, conversation_id, fraction, before=before, limit=limit)

    def tree(
        self, user: "User", conversation_id: uuid.UUID, *, after: int, limit: int, fraction: float = 1
    ) -> list[str] | None:
        """Return the live messages with a `seq` above `after`, on all branches, each with its `sibling_count`."""
        return self._read_owned(sql.TREE, user, conversation_id, fraction, after=after, limit=limit)

    def tree_before(
        self, user: "User", conversation_id: uuid.UUID, *, before: int, limit: int, fraction: float = 1
    ) -> list[str] | None:
        """Return the live messages with a `seq` below `before`, on all branches, newest first."""
        return self._read_owned(sql.TREE_BEFORE, user, conversation_id, fraction, before=before, limit=limit)

    def context(self, user: "User", conversation_id: uuid.UUID, *, limit: int) -> list[str] | None:
        """Return role and content of the newest shown messages, newest first, as the context for a model."""
        return self._read_owned(sql.CONTEXT, user, conversation_id, limit=limit)

    def prompt(
        self, user: "User", conversation_id: uuid.UUID, question_id: uuid.UUID, *, roles: Sequence[str], limit: int
    ) -> list[str]:
        """Return the newest messages of these roles on the path to a question, as JSON, newest first.

        After them comes the first shown message of the conversation. The list is empty if there is no such question.
        """
        params: dict[str, Any] = {"user": user.pk, "conversation": conversation_id, "question": question_id}
        params |= {"roles": list(roles), "limit": limit, "bytes": PAGE_BYTES}
        return [text for text in raw_sql.fetch_column(sql.PROMPT, params) if text]

    def by_ids(self, user: "User", conversation_id: uuid.UUID, ids: Sequence[str]) -> list[str] | None:
        """Return the live messages with these ids, by `seq`."""
        return self._read_owned(sql.MESSAGES_BY_ID, user, conversation_id, ids=[uuid.UUID(id) for id in ids])

    def skeleton(self, conversation_id: uuid.UUID) -> list[tuple[Any, ...]]:
        """Return a tuple for each message of the conversation, by `seq`. The caller holds the conversation's lock.

        A tuple has the values of `light_fields()`, the size of the message in bytes, the length of its content in
        bytes, two booleans (has parts, has tool calls), and the HEAVY fields. These are None if the message is larger
        than SMALL. JSON values are texts.
        """
        columns = ", ".join(f"message.{field.column}" for field in self.light_fields())
        with connections[self.db].cursor() as cursor:
            cursor.execute(sql.SKELETON.format(columns=columns), {"conversation": conversation_id})
            return cursor.fetchall()

    def light_fields(self) -> list[Any]:
        """Return the model's fields that a merge reads, without the HEAVY ones.

        The others would double the time of a sync of 1,000 messages: it is spent on building times and UUIDs.
        """
        return [field for field in self.model._meta.concrete_fields if field.attname not in (*sql.HEAVY, *sql.UNMERGED)]

    def exported(self, user: "User", ids: Sequence[str], *, after: int, limit: int) -> list[tuple[str, str | None]]:
        """Return messages of the user's conversations with these ids, as pairs of conversation id and JSON.

        The messages are in the order of the ids, then by `seq`. `after` applies to the first conversation only: its
        messages up to this `seq` are left out. A conversation without messages has one pair with None. An empty text at
        the end means that more messages follow.
        """
        params: dict[str, Any] = {
            "user": user.pk,
            "ids": list(ids),
            "after": [after, *[0] * (len(ids) - 1)],
            "limit": limit,
            "bytes": PAGE_BYTES,
            "purging": PURGING,
        }
        with connections[self.db].cursor() as cursor:
            cursor.execute(sql.EXPORT, params)
            return cursor.fetchall()

    def _read_owned(
        self, statement: str, user: "User", conversation_id: uuid.UUID, fraction: float = 1, **params: Any
    ) -> list[str] | None:
        params |= {"user": user.pk, "conversation": conversation_id, "bytes": int(PAGE_BYTES * fraction)}
        rows = raw_sql.fetch_column(statement, params)
        return [text for text in rows if text is not None] if rows else None


# The form of the token of a share. Other texts are never looked up.
SHARE_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,64}")


class ShareQuerySet(models.QuerySet[Any]):
    """Shares. `open` and `page` have no owner, because they serve everyone who has the token."""

    def owned_by(self, user: "User") -> Self:
        return self.filter(user=user)

    def unexpired(self) -> Self:
        return self.filter(models.Q(expires_at__isnull=True) | models.Q(expires_at__gt=Now()))

    def listed(self) -> Self:
        """Return the shares that have not expired, newest first. Leave out conversations that are being purged."""
        return self.unexpired().exclude(conversation__deleted_at=PURGING).order_by("-id")

    def open(self, token: str) -> "Share | None":
        """Return the share with this token, or None.

        The result is None if the share has expired, if its conversation is in the trash, or if its owner cannot sign
        in. The comparison of tokens takes no constant time: nobody finds 192 random bits by the time of a look-up.
        """
        if not SHARE_TOKEN.fullmatch(token):
            return None
        statement = sql.OPEN_SHARE.format(columns=raw_sql.columns(self.model))  # type: ignore[arg-type]
        row = raw_sql.fetch_row(statement, {"token": token})
        return raw_sql.build_instance(self.model, row) if row else None

    def page(self, share: "Share", *, after: int, limit: int) -> list[tuple[int, str]]:
        """Return the live messages of a share with a `seq` above `after`, as pairs of `seq` and JSON.

        An empty text at the end means that the page ended at PAGE_BYTES and that more messages follow.
        """
        params = {"share": share.pk, "after": after, "limit": limit, "bytes": PAGE_BYTES}
        return raw_sql.fetch_rows(sql.SHARED_PAGE, params)
