"""Constant SQL for the reads in `querysets`, for the lock of a conversation, and for appends.

Nearly every request executes one of these statements, so they are constants: the ORM needs more CPU time to build them
than PostgreSQL needs to execute them (docs/decisions/0007). PostgreSQL also writes the JSON of rows, in a fifth of the
time that Python needs (docs/decisions/0002). Parameters have the form `%(name)s`, except those of PATH_TO.
"""

from collections.abc import Iterable
from functools import cache

from . import columns

# The automatic title of a conversation without a question, as a regular expression.
NEW_CHAT = "New Chat [0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"

# Subqueries that add a key to the JSON of a message. `t` is the message, as in the SQL of `json_select`.
REACTIONS = "ARRAY(SELECT type FROM reaction r WHERE r.message_id = t.id ORDER BY r.id) AS reactions"
# The most alternatives before a message, and after it, in `sibling_ids`. `sibling_count` counts as many at most.
# Without these limits, a page of messages that all have the same parent would read all of them for each message.
NEIGHBORS = 100
COUNTED = 2 * NEIGHBORS + 1


def _siblings(conversation: str, value: str, rows: str) -> str:
    """Return a value of the messages with the same parent as `t`. `rows` selects which of them are read.

    Messages without a parent have a condition of their own: `IS NOT DISTINCT FROM` cannot use an index, and an OR reads
    all rows."""
    there = f"message WHERE conversation_id = {conversation} AND parent_seq"
    children, roots = (
        f"(SELECT {value} FROM ({rows.format(f'{there} {parent}')}) s WHERE s.deleted_at IS NULL)"
        for parent in ("= t.parent_seq", "IS NULL")
    )
    return f"CASE WHEN t.parent_seq IS NULL THEN {roots} ELSE {children} END"


SIBLING_COUNT = f"""{
    _siblings("t.conversation_id", "count(*)", f"SELECT deleted_at FROM {{0}} LIMIT {COUNTED}")
} AS sibling_count"""


def _sibling_ids(conversation: str) -> str:
    """Return the key `sibling_ids`. `conversation` is the expression of the id of the conversation.

    If all messages of the conversation are shown, none has alternatives, and the siblings are not looked up. With
    `%%(conversation)s`, PostgreSQL reads the conversation once for the whole page (docs/decisions/0033).
    """
    ids = _siblings(
        conversation,
        "CASE WHEN count(*) > 1 THEN array_agg(s.id ORDER BY s.seq) ELSE '{}' END",
        f"""(SELECT id, seq, deleted_at FROM {{0}} AND seq <= t.seq ORDER BY seq DESC LIMIT {NEIGHBORS + 1})
            UNION ALL (SELECT id, seq, deleted_at FROM {{0}} AND seq > t.seq ORDER BY seq LIMIT {NEIGHBORS})""",
    )
    is_linear = f"(SELECT c.message_count = c.last_seq FROM conversation c WHERE c.id = {conversation})"
    return f"CASE WHEN {is_linear} THEN '{{}}' ELSE {ids} END AS sibling_ids"


def iso_time(column: str, unit: str = "US") -> str:
    """Return the expression of a time in the format of every API: UTC, ISO 8601 with microseconds and `Z`.

    With the unit `MS`, the time has milliseconds. Smaller units are cut off."""
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.{unit}"Z"')"""


def json_select(fields: tuple[str, ...], *computed: str) -> str:
    """Return SQL that selects these fields of rows as JSON texts.

    The SQL contains one `%s`. The caller replaces it with the subquery that selects the rows. `computed` are further
    columns, such as REACTIONS; they can refer to a row as `t`.
    """
    selected = [f"{iso_time(name)} AS {name}" if name.endswith("_at") else name for name in fields]
    return f"SELECT row_to_json(j)::text AS json FROM (SELECT {', '.join([*selected, *computed])} FROM (%s) t) j"


CONVERSATION_JSON = json_select(columns.CONVERSATION_FIELDS, "archived_at IS NOT NULL AS is_archived")
EXPORTED_JSON = json_select(columns.MESSAGE_FIELDS, REACTIONS)
MESSAGE_JSON = json_select(columns.MESSAGE_FIELDS, REACTIONS, _sibling_ids("t.conversation_id"))
_IDS = _sibling_ids("%%(conversation)s")
PAGE_JSON = json_select(columns.MESSAGE_FIELDS, REACTIONS, _IDS)
TREE_JSON = json_select(columns.MESSAGE_FIELDS, REACTIONS, _IDS, SIBLING_COUNT)
CONTEXT_JSON = json_select(("role", "content"))
# The condition for a reply that has no text: it is under way, or the model failed. Clients that do not know the status
# of a message would show it as an empty message.
SILENT_STATUSES = ("in_progress", "failed")
SILENT = f"(content = '' AND status IN {SILENT_STATUSES}) IS TRUE"

# The text of a reply that is under way, from its log.
WRITTEN_SO_FAR = """(SELECT coalesce(string_agg(data::json ->> 'text', '' ORDER BY n), '') FROM reply_event
    WHERE reply_id = message.id AND event = 'text')"""

# The time for new values of a locked conversation. It is never earlier than a stored time. `now()` can be earlier,
# because it is the time when the transaction began, before it waited for the lock.
NOW = "greatest(active_at, updated_at, clock_timestamp())"

OWNED_AND_LIVE = "id = %(conversation)s AND user_id = %(user)s AND deleted_at IS NULL"

# Locks a conversation for writes. FOR NO KEY UPDATE is enough to exclude other writers, and does not conflict with the
# checks of foreign keys. The caller replaces `{columns}` with the columns of the model, because this module imports no
# models.
LOCK_CONVERSATION = f"SELECT {{columns}}, {NOW} AS now FROM conversation WHERE {OWNED_AND_LIVE} FOR NO KEY UPDATE"

# Appends a message to the active path of a conversation. It is one statement, and so one transaction: it locks the
# conversation, inserts the message, and saves the derived columns. The result is the saved conversation and the tip
# from before; no row if the user has no such live conversation. The caller replaces `{columns}` with the columns of the
# conversation.
#
# `%(message)s` is a JSON object. Its keys are the columns of `message`, but the columns in PLACE get their values here.
# `%(created_at)s` is null for a message that gets the time of the lock.
PLACE = {
    "conversation_id": "locked.id",
    "user_id": "locked.user_id",
    "seq": "locked.last_seq + 1",
    "parent_seq": "locked.tip_seq",
    "is_active": "true",
    "created_at": "coalesce(m.created_at, locked.now)",
    "updated_at": "locked.now",
}
_MESSAGE_VALUES = {name: PLACE.get(name, f"m.{name}") for name in columns.MESSAGE}
APPEND = f"""WITH locked AS (
    {LOCK_CONVERSATION.format(columns="id, user_id, last_seq, tip_seq")}
), inserted AS (
    INSERT INTO message ({", ".join(_MESSAGE_VALUES)}) SELECT {", ".join(_MESSAGE_VALUES.values())}
    FROM locked, json_populate_record(NULL::message, %(message)s) m
), saved AS (
    UPDATE conversation SET last_seq = locked.last_seq + 1, tip_seq = locked.last_seq + 1,
        message_count = message_count + 1, preview = coalesce(%(preview)s, preview),
        prompt_tokens = prompt_tokens + %(prompt_tokens)s,
        completion_tokens = completion_tokens + %(completion_tokens)s,
        title = CASE WHEN title_is_auto AND title ~ '^{NEW_CHAT}$' THEN coalesce(%(title)s, title) ELSE title END,
        updated_at = locked.now,
        active_at = greatest(active_at, coalesce(%(created_at)s, locked.now))
    FROM locked WHERE conversation.id = locked.id RETURNING {{columns}}
) SELECT saved.*, locked.tip_seq FROM saved, locked"""


def _sidebar(condition: str = "") -> str:
    return (
        CONVERSATION_JSON
        % f"""SELECT * FROM conversation
        WHERE user_id = %(user)s AND deleted_at IS NULL AND archived_at IS NULL {condition}
        ORDER BY active_at DESC, id DESC LIMIT %(limit)s"""
    )


# A page of the sidebar: the first one, and one after a position. The row comparison makes the page one range of an
# index.
SIDEBAR = _sidebar()
SIDEBAR_AFTER = _sidebar("AND (active_at, id) < (%(at)s, %(id)s)")


def _limit_bytes(rows: str) -> str:
    """Return SQL that cuts off rows of (key, json) after `%(bytes)s` bytes of JSON.

    The first row is always returned. If the rows were cut off, the last row has an empty text as its JSON. `before` is
    the number of bytes in all rows before the current one; `beyond` counts the rows after the limit, including the
    current one. PostgreSQL stops when `beyond` is 2 (a "run condition"), so it renders at most two rows after the limit
    as JSON. PostgreSQL 15 does so only for `count(*)`, not for `count(expression)`. The windows have no ORDER BY, so
    they keep the order of the rows.
    """
    return f"""SELECT key, CASE WHEN before < %(bytes)s THEN json ELSE '' END AS json FROM (
        SELECT key, json, before, count(*) FILTER (WHERE before >= %(bytes)s) OVER w AS beyond FROM (
            SELECT key, json, sum(coalesce(octet_length(json), 0)) OVER w - coalesce(octet_length(json), 0) AS before
            FROM ({rows} OFFSET 0) r WINDOW w AS (ROWS UNBOUNDED PRECEDING)
        ) r WINDOW w AS (ROWS UNBOUNDED PRECEDING)
    ) r WHERE beyond <= 1"""


def _page(shape: str, condition_and_order: str) -> str:
    """Return SQL for a page of the messages of a conversation, as JSON texts.

    The result is one row with null if there are no messages, and no row if the user has no such live conversation. The
    left side of the join has one row and the join has no condition, so PostgreSQL plans a nested loop, which keeps the
    order of the right side.
    """
    live = "conversation_id = %(conversation)s AND deleted_at IS NULL"
    messages = f"SELECT * FROM message WHERE {live} AND {condition_and_order}"
    rows = f"""SELECT m.seq AS key, ({shape % "SELECT m.*"}) AS json FROM ({messages}) m"""
    return f"""SELECT m.json FROM (SELECT 1 FROM conversation WHERE {OWNED_AND_LIVE}) c
        LEFT JOIN ({_limit_bytes(rows)}) m ON true"""


TRANSCRIPT = _page(PAGE_JSON, "is_active AND seq > %(after)s ORDER BY seq LIMIT %(limit)s")
TREE = _page(TREE_JSON, "seq > %(after)s ORDER BY seq LIMIT %(limit)s")
# The same backwards: the newest message comes first, so the limit of bytes cuts off the oldest ones.
TRANSCRIPT_BEFORE = _page(PAGE_JSON, "is_active AND seq < %(before)s ORDER BY seq DESC LIMIT %(limit)s")
TREE_BEFORE = _page(TREE_JSON, "seq < %(before)s ORDER BY seq DESC LIMIT %(limit)s")
CONTEXT = _page(CONTEXT_JSON, f"is_active AND NOT {SILENT} ORDER BY seq DESC LIMIT %(limit)s")
MESSAGES_BY_ID = _page(PAGE_JSON, "id = ANY(%(ids)s) ORDER BY seq")

# The newest messages on the path to a question, newest first, as the prompt of a model. The walk from the question to
# the root ends after `limit` messages that a model gets, and after ten times as many in all. Its columns are all that
# decides which messages count, so PostgreSQL does not read further. The last row, with `is_first`, is the first shown
# message of the conversation, which can be the system prompt.
_PROMPT_FIELDS = ("seq", "role", "content", "parts", "tool_calls", "tool_call_id")
_WALKED = """seq, parent_seq, deleted_at IS NULL AND item_type = 'message' AND role = ANY(%(roles)s) AND NOT (
        role = 'assistant' AND coalesce(octet_length(content), 0) = 0 AND parts IS NULL AND tool_calls IS NULL)"""
PROMPT = f"""WITH RECURSIVE path(seq, parent_seq, counts) AS (
        SELECT {_WALKED} FROM message
        WHERE conversation_id = %(conversation)s AND user_id = %(user)s AND id = %(question)s AND deleted_at IS NULL
    UNION ALL
        SELECT m.* FROM path, LATERAL (
            SELECT {_WALKED} FROM message WHERE conversation_id = %(conversation)s AND seq = path.parent_seq
        ) m
    )
    SELECT json FROM ({
    _limit_bytes(f'''SELECT m.seq AS key, ({json_select(_PROMPT_FIELDS) % "SELECT m.*"}) AS json FROM message m
        WHERE conversation_id = %(conversation)s AND seq = ANY(ARRAY(
            SELECT seq FROM (SELECT * FROM path LIMIT 10 * %(limit)s) p WHERE counts LIMIT %(limit)s
        )) ORDER BY seq DESC''')
}) m
    UNION ALL SELECT ({json_select(_PROMPT_FIELDS, "true AS is_first") % "SELECT f.*"}) FROM (
        SELECT * FROM message WHERE conversation_id = %(conversation)s AND user_id = %(user)s
        AND deleted_at IS NULL AND is_active ORDER BY seq LIMIT 1
    ) f"""

# The messages of several conversations, in the order of `%(ids)s`. Messages in the trash are included, except forgotten
# ones (`deleted_at` = PURGING). The right side of the join depends on the left side (LATERAL), so PostgreSQL plans a
# nested loop, which ends at the limit.
EXPORT = _limit_bytes(f"""SELECT c.id::text AS key, m.json
    FROM unnest(%(ids)s::uuid[], %(after)s::int[]) AS c(id, after)
    LEFT JOIN LATERAL (
        SELECT ({EXPORTED_JSON % "SELECT m.*"}) AS json FROM (
            SELECT * FROM message WHERE conversation_id = c.id AND user_id = %(user)s AND seq > c.after
            AND (deleted_at IS NULL OR deleted_at > %(purging)s)
            ORDER BY seq LIMIT %(limit)s
        ) m
    ) m ON true LIMIT %(limit)s""")

# The fields of a message that can be large.
LARGE_TEXTS = ("content", "reasoning", "error")
LARGE_JSON = ("parts", "tool_calls", "usage", "metadata")
HEAVY = (*LARGE_TEXTS, *LARGE_JSON)
# The columns of a message that a merge of a whole history neither compares nor changes, or only writes.
UNMERGED = ("conversation_id", "user_id", "link_digest", "fingerprint", "created_at", "updated_at")
# In bytes. A message up to this size is read whole. PostgreSQL does not compress the values of a row below 2 kB.
SMALL = 2_000
_TEXT_BYTES = " + ".join(f"coalesce(octet_length({name}), 0)" for name in LARGE_TEXTS)
# PostgreSQL knows the stored size of a value without reading the value. The size of its JSON is an estimate: 20 times
# the stored size if the value is compressed, otherwise the stored size.
_JSON_BYTES = " + ".join(
    f"coalesce(CASE WHEN pg_column_compression({name}) IS NULL THEN 1 ELSE 20 END * pg_column_size({name}), 0)"
    for name in LARGE_JSON
)
# All messages of a conversation, including trashed ones. The HEAVY fields of a message larger than SMALL are null,
# because all these fields together may not fit into memory. OFFSET 0 makes PostgreSQL compute the size once for each
# row. The caller replaces `{columns}` with the columns of the other fields.
SKELETON = f"""SELECT {{columns}}, size, octet_length(content), parts IS NOT NULL, tool_calls IS NOT NULL,
    {", ".join(f"CASE WHEN size <= {SMALL} THEN {name} END" for name in HEAVY)}
    FROM message, LATERAL (SELECT {_TEXT_BYTES} + {_JSON_BYTES} AS size OFFSET 0) s
    WHERE conversation_id = %(conversation)s ORDER BY seq"""

# Whether the active path has these roles and texts. Its size is compared first: PostgreSQL knows it without reading the
# texts, so it reads only as much text as the client has sent.
_SHOWN = f"""FROM message m WHERE m.conversation_id = conversation.id AND m.is_active AND m.deleted_at IS NULL
    AND NOT {SILENT}"""
DISPLAYS = f"""CASE WHEN (SELECT sum(octet_length(m.role) + 1 + octet_length(m.content)) {_SHOWN}) = %s
    THEN (SELECT array_agg(m.role || ' ' || m.content ORDER BY m.seq) {_SHOWN}) = %s::text[] ELSE false END"""

# A history whose compared JSON is stored in more bytes gets no digest: its JSON can be many times larger.
DIGESTED_JSON_BYTES = 1_000_000


def visible(roles: Iterable[str] | None, content_fields: Iterable[str]) -> str:
    """Return the condition of `SyncProfile.is_visible` for messages that are not SILENT."""
    if roles is None:
        return "true"
    names = ", ".join(f"'{role}'" for role in roles)
    has_content = " OR ".join(f"m.{name} IS NOT NULL" for name in content_fields)
    return f"m.item_type = 'message' AND m.role IN ({names}) AND ({has_content}) AND NOT {SILENT}"


@cache
def history_digests(fields: tuple[str, ...], visible: str) -> str:
    """Return SQL that selects the id and the digest of each conversation whose history can be the one that was sent.

    The digest is that of `core/digests.py`, with these compared fields of the messages that fulfil the condition
    `visible`. It is null if the compared JSON is too large. Conversations with another number of messages, or another
    size of the large texts, are left out. PostgreSQL knows the size of a text without reading it, so it reads only as
    much text as the client has sent.
    """
    texts = " + ".join(f"coalesce(octet_length(m.{name}), 0)" for name in LARGE_TEXTS if name in fields) or "0"
    json = " + ".join(f"coalesce(pg_column_size(m.{name}), 0)" for name in LARGE_JSON if name in fields) or "0"
    values = ", ".join(f"m.{name}::text" for name in fields)
    # A condition on the user here would tempt PostgreSQL to read all messages of the user for each conversation.
    shown = f"FROM message m WHERE m.conversation_id = c.id AND m.deleted_at IS NULL AND m.is_active AND {visible}"
    row = f"array_to_json(ARRAY[coalesce(m.external_id, m.id::text), {values}])::text"
    return f"""SELECT c.id, CASE WHEN s.json_bytes <= {DIGESTED_JSON_BYTES} THEN (
            SELECT sha256(convert_to('[' || coalesce(string_agg({row}, ',' ORDER BY m.seq), '') || ']', 'UTF8')) {shown}
        ) END
        FROM unnest(%(ids)s::uuid[], %(counts)s::int[], %(sizes)s::bigint[]) AS c(id, count, size)
        JOIN conversation o ON o.id = c.id AND o.user_id = %(user)s CROSS JOIN LATERAL (
            SELECT count(*) AS count, coalesce(sum({texts}), 0) AS size, coalesce(sum({json}), 0) AS json_bytes {shown}
        ) s WHERE s.count = c.count AND s.size = c.size"""


# The seq of a message and of all its ancestors. It is recursive because `is_active` marks the active path only, and no
# column marks the messages of a hidden branch. Its parameters are `%s`, because it is part of an ORM query.
PATH_TO = """WITH RECURSIVE path AS (
    SELECT seq, parent_seq FROM message WHERE conversation_id = %s AND seq = %s
    UNION ALL SELECT m.seq, m.parent_seq FROM message m JOIN path ON m.conversation_id = %s AND m.seq = path.parent_seq
) SELECT seq FROM path"""

# Whether a hold in force covers a row. `user` and `conversation` are its columns with these ids.
HELD = """EXISTS (SELECT FROM hold WHERE hold.user_id = {user} AND hold.released_at IS NULL
    AND (hold.conversation_id IS NULL OR hold.conversation_id = {conversation}))"""

# --- Shares ---

# The messages that a share can contain: those that a person or a model wrote, and results of tools. Instructions
# (`system`, `developer`) are often confidential. Items of other types are not texts to read. A message that is in
# progress would change, and a silent one has no text. The caller replaces `%s` with the subquery of the path.
SHARED_ROLES = ("user", "assistant", "tool")
_SHAREABLE = f"""SELECT * FROM (%s) path WHERE item_type = 'message' AND role IN {SHARED_ROLES}
    AND status <> 'in_progress' AND NOT {SILENT}"""
# The number of these messages, up to a limit, and the sum of their sizes. PostgreSQL knows the size of a text and the
# stored size of JSON without reading them.
MEASURE_SHARE = f"""SELECT count(*), coalesce(sum(coalesce(octet_length(content), 0)
        + coalesce(pg_column_size(parts), 0) + coalesce(pg_column_size(tool_calls), 0)), 0)
    FROM ({_SHAREABLE} LIMIT %%s) m"""
# The reasoning is not shared, because models quote their instructions in it. It can also be in parts of the type
# `reasoning` (OpenAI, Vercel's AI SDK) or `thinking` (Anthropic). A part whose `type` is no text is kept.
_IS_REASONING = '(@.type like_regex "^(reasoning|thinking|redacted_thinking)$")'
# The `name` of a user is often the name of the owner. That of an assistant or a tool says who answers.
_COPIED = {name: name for name in columns.SHARED} | {
    "name": "CASE WHEN role = 'user' THEN '' ELSE name END",
    "parts": f"""CASE WHEN jsonb_typeof(parts) = 'array'
        THEN jsonb_path_query_array(parts, '$[*] ? (!{_IS_REASONING} || {_IS_REASONING} is unknown)') ELSE parts END""",
}
FILL_SHARE = f"""INSERT INTO shared_message (share_id, seq, message_id, {", ".join(_COPIED)})
    SELECT %%s, seq, id, {", ".join(_COPIED.values())} FROM ({_SHAREABLE}) m"""
# The share with a token, if its link is valid. An owner who cannot sign in shares nothing. The caller replaces
# `{columns}` with the columns of the share.
OPEN_SHARE = """SELECT {columns} FROM share
    JOIN conversation ON conversation.id = share.conversation_id AND conversation.deleted_at IS NULL
    JOIN account owner ON owner.id = share.user_id AND owner.is_active
    LEFT JOIN account manager ON manager.id = owner.managed_by_id
    WHERE share.token = %(token)s AND (share.expires_at IS NULL OR share.expires_at > clock_timestamp())
    AND manager.is_active IS NOT FALSE"""
# The subquery in the condition is no join, so PostgreSQL looks up the messages one by one, and ends at the limit.
_SHARED_JSON = json_select(("id", *columns.SHARED, "reasoning"))
SHARED_PAGE = _limit_bytes(f"""SELECT m.seq AS key, ({_SHARED_JSON % "SELECT m.*"}) AS json FROM (
        SELECT s.*, s.message_id AS id, '' AS reasoning FROM shared_message s
        WHERE s.share_id = %(share)s AND s.seq > %(after)s
        AND (SELECT deleted_at IS NULL FROM message WHERE message.id = s.message_id)
        ORDER BY s.seq LIMIT %(limit)s
    ) m""")
