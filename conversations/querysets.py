"""Every row read. An owned object is reached through `owned_by`, and through nothing else."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.db import connections, models
from django.db.models.expressions import RawSQL

from chatstore import raw_sql
from chatstore.ids import as_uuid

from . import columns

if TYPE_CHECKING:
    from accounts.models import User

    from .models import Conversation, Message

# The deleted_at of what cannot be restored any more: a conversation whose purge has begun (housekeeping finishes what a
# crash interrupts, since this is long ago), a message that has lost what it said.
PURGING = datetime.fromisoformat("1970-01-01T00:00:00Z")

CONVERSATION_FIELDS = columns.names(columns.CONVERSATION, columns.READ)
MESSAGE_FIELDS = columns.names(columns.MESSAGE, columns.READ)
REACTIONS = "ARRAY(SELECT type FROM reaction r WHERE r.message_id = t.id ORDER BY r.id) AS reactions"
# IS NOT DISTINCT FROM would say the same, but uses no index: 2.9 s for a page of 20,000 messages instead of 9 ms.
SIBLINGS = """(SELECT count(*) FROM message s WHERE s.conversation_id = t.conversation_id AND s.deleted_at IS NULL
    AND (s.parent_seq = t.parent_seq OR (s.parent_seq IS NULL AND t.parent_seq IS NULL))) AS sibling_count"""


def json_select(fields: tuple[str, ...], *computed: str) -> str:
    """SQL that turns rows of a subquery into JSON texts: PostgreSQL builds them in a fifth of the time Python takes.
    Times are UTC, ISO 8601, microseconds and `Z`, the one form of every API."""
    columns = [
        f"""to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS {name}"""
        if name.endswith("_at")
        else name
        for name in fields
    ]
    return f"SELECT row_to_json(j)::text AS json FROM (SELECT {', '.join([*columns, *computed])} FROM (%s) t) j"


CONVERSATION_JSON = json_select(CONVERSATION_FIELDS, "archived_at IS NOT NULL AS is_archived")
MESSAGE_JSON = json_select(MESSAGE_FIELDS, REACTIONS)
TREE_JSON = json_select(MESSAGE_FIELDS, REACTIONS, SIBLINGS)

# What follows is written out; chatstore.raw_sql says why.

# The time to write, under a lock: it never runs behind what is stored, and `now()` would by the wait for the lock.
NOW = "greatest(active_at, updated_at, clock_timestamp())"
OWNED_AND_LIVE = "id = %(conversation)s AND user_id = %(user)s AND deleted_at IS NULL"
LOCKED = f"SELECT {{columns}}, {NOW} AS now FROM conversation WHERE {OWNED_AND_LIVE} FOR NO KEY UPDATE"
SIDEBAR = (
    CONVERSATION_JSON
    % """SELECT * FROM conversation
    WHERE user_id = %(user)s AND deleted_at IS NULL AND archived_at IS NULL
    AND (%(at)s::timestamptz IS NULL OR (active_at, id) < (%(at)s, %(id)s))
    ORDER BY active_at DESC, id DESC LIMIT %(limit)s"""
)


# A page of messages ends at its limit of rows, or when its JSON has this many bytes; it has one row at least. A message
# may have megabytes: a page of 1,000 would be held in memory three times over.
PAGE_BYTES = 8_000_000


def _within_bytes(rows: str) -> str:
    """Return SQL that ends rows of (key, json) when they have the bytes of a page, with an empty text if more follow.

    `beyond` counts the rows after that. PostgreSQL stops at a condition on such a count (a "run condition"), so it
    turns no row beyond the page into JSON. The windows keep the order of the rows.
    """
    return f"""SELECT key, CASE WHEN before < %(bytes)s THEN json ELSE '' END AS json FROM (
        SELECT key, json, before, count(CASE WHEN before >= %(bytes)s THEN 1 END) OVER w AS beyond FROM (
            SELECT key, json, sum(coalesce(octet_length(json), 0)) OVER w - coalesce(octet_length(json), 0) AS before
            FROM ({rows} OFFSET 0) r WINDOW w AS (ROWS UNBOUNDED PRECEDING)
        ) r WINDOW w AS (ROWS UNBOUNDED PRECEDING)
    ) r WHERE beyond <= 1"""


def _page(shape: str, which: str) -> str:
    """Return SQL for a page of a conversation's messages, as JSON texts; null where there are none, and no row where
    the conversation is not there.

    One row on the left and no condition make a nested loop, which keeps the order of the right side.
    """
    message = f"SELECT * FROM message WHERE conversation_id = %(conversation)s AND deleted_at IS NULL AND {which}"
    rows = f"""SELECT m.seq AS key, ({shape % "SELECT m.*"}) AS json FROM ({message}) m"""
    return f"""SELECT m.json FROM (SELECT 1 FROM conversation WHERE {OWNED_AND_LIVE}) c
        LEFT JOIN ({_within_bytes(rows)}) m ON true"""


TRANSCRIPT = _page(MESSAGE_JSON, "is_active AND seq > %(after)s ORDER BY seq LIMIT %(limit)s")
TREE = _page(TREE_JSON, "seq > %(after)s ORDER BY seq LIMIT %(limit)s")
CONTEXT = _page(json_select(("role", "content")), "is_active ORDER BY seq DESC LIMIT %(limit)s")
MESSAGES_BY_ID = _page(MESSAGE_JSON, "id = ANY(%(ids)s) ORDER BY seq")

# Messages of several conversations, trashed ones too, one conversation after the other: an array on the left, and what
# is on the right depends on it, so again a nested loop, which ends at the limit.
NOT_PURGED = f"(deleted_at IS NULL OR deleted_at > '{PURGING.isoformat()}')"
EXPORTED = _within_bytes(f"""SELECT c.id::text AS key, m.json
    FROM unnest(%(ids)s::uuid[], %(after)s::int[]) AS c(id, after)
    LEFT JOIN LATERAL (
        SELECT ({MESSAGE_JSON % "SELECT m.*"}) AS json FROM (
            SELECT * FROM message WHERE conversation_id = c.id AND user_id = %(user)s AND seq > c.after AND {NOT_PURGED}
            ORDER BY seq LIMIT %(limit)s
        ) m
    ) m ON true LIMIT %(limit)s""")


# All messages of a conversation, without what may be large. A small message comes whole: PostgreSQL compresses nothing
# below 2 kB. Of the others only the sizes: of the content, and of all, of which compressed JSON is estimated.
HEAVY = ("content", "reasoning", "error", "parts", "tool_calls", "usage", "metadata")
SMALL = 2_000  # bytes
_TEXT_BYTES = " + ".join(f"coalesce(octet_length({name}), 0)" for name in HEAVY[:3])
_JSON_BYTES = " + ".join(
    f"coalesce(CASE WHEN pg_column_compression({name}) IS NULL THEN 1 ELSE 20 END * pg_column_size({name}), 0)"
    for name in HEAVY[3:]
)
SKELETON = f"""SELECT {{columns}}, size, octet_length(content), parts IS NOT NULL, tool_calls IS NOT NULL,
    {", ".join(f"CASE WHEN size <= {SMALL} THEN {name} END" for name in HEAVY)}
    FROM message, LATERAL (SELECT {_TEXT_BYTES} + {_JSON_BYTES} AS size OFFSET 0) s
    WHERE conversation_id = %(conversation)s ORDER BY seq"""

# The beginning of what a user first said in a conversation.
FIRST_QUESTION = """SELECT left(content, 200) FROM message m WHERE m.conversation_id = conversation.id AND m.is_active
    AND m.deleted_at IS NULL AND m.role = 'user' AND m.content IS NOT NULL ORDER BY m.seq LIMIT 1"""

# The seq of a message and of all its ancestors. Only a message on a hidden branch needs it.
PATH_TO = """WITH RECURSIVE path AS (
    SELECT seq, parent_seq FROM message WHERE conversation_id = %s AND seq = %s
    UNION ALL SELECT m.seq, m.parent_seq FROM message m JOIN path ON m.conversation_id = %s AND m.seq = path.parent_seq
) SELECT seq FROM path"""


class OwnedQuerySet(models.QuerySet[Any]):
    def owned_by(self, user: "User") -> Self:
        return self.filter(user=user)

    def live(self) -> Self:
        return self.filter(deleted_at__isnull=True)

    def kept(self) -> Self:
        """Live or in the trash."""
        return self.exclude(deleted_at=PURGING)

    def trashed(self) -> Self:
        return self.filter(deleted_at__gt=PURGING)

    def _json_rows(self, shape: str, fields: tuple[str, ...]) -> list[str]:
        sql, params = self.values(*fields).query.sql_with_params()
        return self._texts(shape % sql, params)

    def _texts(self, sql: str, params: Any) -> list[Any]:
        with connections[self.db].cursor() as cursor:
            cursor.execute(sql, params)
            return [text for (text,) in cursor.fetchall()]


class ConversationQuerySet(OwnedQuerySet):
    def named(self, *names: str) -> Self:
        """By their clients' ids or by ours: two that are live never share a name."""
        ours = [id for name in names if (id := as_uuid(name))]
        theirs = [name for name in names if "\0" not in name]  # which a path can hold, and a text of PostgreSQL not
        return self.filter(models.Q(external_id__in=theirs) | models.Q(id__in=ours))

    def listed(self) -> Self:
        """Neither in the trash nor in the archive."""
        return self.live().filter(archived_at__isnull=True)

    def by_creation(self) -> Self:
        return self.order_by("-created_at", "-id")

    def before_creation(self, created_at: str, id: str) -> Self:
        """The rows after a position, as one row comparison."""
        later: Self = self.extra(where=["(created_at, id) < (%s, %s)"], params=[created_at, id])  # type: ignore[assignment]
        return later

    def with_first_question(self) -> Self:
        asked: Self = self.extra(select={"first_question": FIRST_QUESTION})  # type: ignore[assignment]
        return asked

    def by_activity(self) -> Self:
        """The sidebar's order."""
        return self.order_by("-active_at", "-id")

    def before_activity(self, active_at: datetime, id: uuid.UUID) -> Self:
        """The rows after a cursor, as one row comparison, which the sidebar's index answers in one range."""
        later: Self = self.extra(where=["(active_at, id) < (%s, %s)"], params=[active_at, id])  # type: ignore[assignment]
        return later

    def locked(self) -> Self:
        """Rows for writing, each with its `now`."""
        dated: Self = self.extra(select={"now": NOW})  # type: ignore[assignment]
        return dated.select_for_update(no_key=True).order_by("id")

    def lock_one(self, user: "User", id: uuid.UUID) -> "Conversation | None":
        """The user's live conversation, likewise."""
        sql = LOCKED.format(columns=raw_sql.columns(self.model))
        row = raw_sql.fetch_row(sql, {"conversation": id, "user": user.pk})
        if row is None:
            return None
        conversation: Conversation = raw_sql.build_instance(self.model, row)
        conversation.now = row[-1]
        return conversation

    def json_texts(self) -> list[str]:
        return self._json_rows(CONVERSATION_JSON, CONVERSATION_FIELDS)

    def sidebar(self, user: "User", *, limit: int, after: tuple[datetime, uuid.UUID] | None) -> list[str]:
        """As JSON, by activity: what is neither in the trash nor in the archive, after a position."""
        at, id = after or (None, None)
        return self._texts(SIDEBAR, {"user": user.pk, "at": at, "id": id, "limit": limit})


class MessageQuerySet(OwnedQuerySet):
    def in_live_conversations(self) -> Self:
        return self.live().filter(conversation__deleted_at__isnull=True)

    def in_order(self) -> Self:
        return self.live().order_by("seq")

    def shown(self) -> Self:
        """The transcript: what is live on the shown path, in order."""
        return self.in_order().filter(is_active=True)

    def texts(self, *roles: str) -> Self:
        """What was said in words, by these."""
        return self.filter(item_type="message", role__in=roles, content__isnull=False)

    def path_to(self, message: "Message") -> Self:
        """The live messages from the root of the conversation to this message, in order."""
        if message.is_active:
            return self.shown().filter(conversation=message.conversation_id, seq__lte=message.seq)
        path = RawSQL(PATH_TO, [message.conversation_id, message.seq, message.conversation_id])
        return self.in_order().filter(conversation=message.conversation_id, seq__in=path)

    def answer_to(self, question: "Message") -> "Message | None":
        """The live answer to a question of a user; the one on the active path if there are several.

        An answer that chatstore asked for names its question in its metadata, because another message may have come
        between the two. Any other answer is a child of its question.
        """
        later = question.conversation.messages.live().texts("assistant").filter(seq__gt=question.seq)
        named = models.Q(metadata__answers=str(question.id))
        child = models.Q(parent_seq=question.seq) & ~models.Q(metadata__has_key="answers")
        answer: Message | None = later.filter(named | child).order_by("-is_active", "-seq").first()
        return answer

    def by_conversation(self, ids: Iterable[uuid.UUID], *fields: str) -> dict[uuid.UUID, list[Any]]:
        """The fields of what is shown in each, in order: tuples with names. Instances would cost several times that."""
        shown = self.shown().filter(conversation__in=list(ids)).order_by("conversation_id", "seq")
        found: dict[uuid.UUID, list[Any]] = defaultdict(list)
        for row in shown.values_list("conversation_id", *fields, named=True):
            found[row.conversation_id].append(row)
        return found

    def json_texts(self) -> list[str]:
        return self._json_rows(MESSAGE_JSON, MESSAGE_FIELDS)

    # Of one conversation of a user's, as JSON; None where there is no such conversation. An empty text at the end says
    # that the page ended at PAGE_BYTES, and that there are more messages.

    def transcript(self, user: "User", conversation_id: uuid.UUID, *, after: int, limit: int) -> list[str] | None:
        return self._behind_door(TRANSCRIPT, user, conversation_id, after=after, limit=limit)

    def tree(self, user: "User", conversation_id: uuid.UUID, *, after: int, limit: int) -> list[str] | None:
        """All branches, each message with its number of siblings."""
        return self._behind_door(TREE, user, conversation_id, after=after, limit=limit)

    def context(self, user: "User", conversation_id: uuid.UUID, *, limit: int) -> list[str] | None:
        """What a model is given: role and content of what is shown, the newest first."""
        return self._behind_door(CONTEXT, user, conversation_id, limit=limit)

    def by_ids(self, user: "User", conversation_id: uuid.UUID, ids: Sequence[str]) -> list[str] | None:
        return self._behind_door(MESSAGES_BY_ID, user, conversation_id, ids=[uuid.UUID(id) for id in ids])

    def skeleton(self, conversation_id: uuid.UUID) -> list[tuple[Any, ...]]:
        """Return the values of LIGHT fields, and then size, bytes of the content, whether there are parts and tool
        calls, and the HEAVY fields: null unless the message is small, JSON as text."""
        columns = ", ".join(f"message.{field.column}" for field in self.light_fields())
        with connections[self.db].cursor() as cursor:
            cursor.execute(SKELETON.format(columns=columns), {"conversation": conversation_id})
            return cursor.fetchall()

    def light_fields(self) -> list[Any]:
        return [field for field in self.model._meta.concrete_fields if field.name not in HEAVY]

    def exported(self, user: "User", ids: Sequence[str], *, after: int, limit: int) -> list[tuple[str, str | None]]:
        """Return messages as JSON with their conversations' ids, in the order of the ids, from a `seq` of the first on;
        one without a text for each conversation that has none. An empty text at the end says that there are more."""
        params: dict[str, Any] = {
            "user": user.pk,
            "ids": list(ids),
            "after": [after, *[0] * (len(ids) - 1)],
            "limit": limit,
            "bytes": PAGE_BYTES,
        }
        with connections[self.db].cursor() as cursor:
            cursor.execute(EXPORTED, params)
            return cursor.fetchall()

    def _behind_door(self, sql: str, user: "User", conversation_id: uuid.UUID, **params: Any) -> list[str] | None:
        texts = self._texts(sql, {"user": user.pk, "conversation": conversation_id, "bytes": PAGE_BYTES, **params})
        return [text for text in texts if text is not None] if texts else None
