"""Erasure of a user, of all users that this user manages, and of everything that they own.

Hazards: a request stores new rows during the erasure; the process ends in the middle; one transaction deletes millions
of rows.

Principle: all these users are deactivated and marked (`erasing_at`) first. No token and no session is valid afterwards,
so only requests that began earlier can still write. The user's row is deleted last. Its mark stays until then, so that
housekeeping can finish an interrupted erasure. Concurrent erasures of the same user do no harm.

Transactions: one for the mark, one for each batch of sessions, several bounded ones for each conversation
(`conversations.purge`), and one for each user's other rows and the user's row. None locks more than one conversation.
The last transaction fails if a request has stored a conversation in the meantime. Then the purge and the deletion are
tried again. There are at most ATTEMPTS attempts.
"""

import json
import re
import uuid
from collections import Counter
from collections.abc import Callable, Collection
from datetime import timedelta
from urllib.parse import unquote_plus

from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now
from django.utils.translation import gettext

from accounts.models import User
from chatstore.errors import Conflict, NotFound
from conversations.core import receipts
from conversations.core.holds import refused_on_hold
from conversations.models import Conversation, DailyUsageChange, Hold

from . import conversations

CONVERSATIONS_PER_BATCH = 100
SESSIONS_PER_BATCH = 1_000
ATTEMPTS = 3
USERS_PER_RUN = 10
WORD = re.compile(r'[^\s"<>,:;()\[\]\\=&]+')  # matches an id or an e-mail address in any surrounding text
ABANDONED = timedelta(minutes=10)  # an erasure with an older mark was probably interrupted
# Deactivates and marks the users. It also clears `managed_by`, so that the rows can be deleted in any order.
MARK = """WITH RECURSIVE erased AS (SELECT %s::uuid AS id
    UNION SELECT account.id FROM account JOIN erased ON account.managed_by_id = erased.id)
    UPDATE account SET is_active = false, erasing_at = clock_timestamp(), managed_by_id = NULL
    FROM erased WHERE account.id = erased.id RETURNING account.id, account.is_staff"""


def erase(
    *, user: User, asked_by: uuid.UUID | None = None, on_begin: Callable[[], object] = lambda: None
) -> Counter[str]:
    """Erase a user and all users that this user manages. Leave a receipt of each.

    `asked_by` is the id of the member of staff who asked for it; the default is the user.

    Return the numbers of deleted users, tokens, conversations and messages. Raises Conflict if one of them is staff,
    and OnHold if a legal hold covers one of them or one of their conversations. In both cases nothing has changed.

    Raises Conflict if requests of these users still store conversations during the last attempt, and OnHold if a hold
    is placed during the erasure. Then housekeeping finishes the erasure, after the release of the hold.

    `on_begin` is called in the first transaction, after all checks, so what it writes is stored if and only if the
    erasure begins. Opens several transactions, so the caller must have no transaction open. None of them locks more
    than one conversation.
    """
    return _erase(user.pk, begin(user=user, asked_by=asked_by, on_begin=on_begin))


def begin(
    *, user: User, asked_by: uuid.UUID | None = None, on_begin: Callable[[], object] = lambda: None
) -> Collection[uuid.UUID]:
    """Deactivate and mark a user and all users that this user manages. Return their ids.

    Raises Conflict and OnHold as `erase` does. A large erasure calls this first, purges the conversations in batches,
    and then calls `erase` for each of the users.
    """
    with refused_on_hold(_on_hold()):
        marked = _mark(user.pk)
        if any(marked.values()):
            raise Conflict(gettext("Staff cannot be erased. A superuser must remove the staff rights first."))
        receipts.begin(user.pk, asked_by=asked_by or user.pk, managed=marked.keys() - {user.pk})
        on_begin()
    return marked


def resume() -> int:
    """Finish interrupted erasures, at most USERS_PER_RUN. Return the number of erased users.

    Leaves out users with a legal hold. Raises Conflict if requests of these users still store conversations, or if a
    hold is placed in the meantime. Locks and transactions are those of `erase`.
    """
    held = Exists(Hold.objects.filter(user=OuterRef("pk"), released_at=None))
    marked = User.objects.filter(~held, erasing_at__lt=Now() - ABANDONED).order_by("erasing_at")
    ids = marked.values_list("pk", flat=True)[:USERS_PER_RUN]
    return sum(_resume(id)["users"] for id in ids)


def _resume(user_id: uuid.UUID) -> Counter[str]:
    with refused_on_hold(_on_hold()):
        marked = _mark(user_id)
        receipts.begin(user_id, asked_by=None, managed=marked.keys() - {user_id})  # if an old version did not begin it
    return _erase(user_id, marked)


def _mark(user_id: uuid.UUID) -> dict[uuid.UUID, bool]:
    """Deactivate and mark the user and all users that this user manages. Return the id of each, and if it is staff.

    The database refuses this if one of them has a legal hold."""
    with connection.cursor() as cursor:
        cursor.execute(MARK, [user_id])
        return dict(cursor.fetchall())


def _on_hold() -> str:
    return gettext("This account or a part of it is on hold. It cannot be erased.")


def _erase(user_id: uuid.UUID, user_ids: Collection[uuid.UUID]) -> Counter[str]:
    _end_sessions(user_id, {str(id) for id in user_ids} | _addresses(user_ids))
    return sum((_erase_user(user) for user in User.objects.filter(pk__in=user_ids)), Counter())


def _erase_user(user: User) -> Counter[str]:
    deleted: Counter[str] = Counter()
    for _ in range(ATTEMPTS):
        deleted += _purge(user)
        if final_counts := _delete_user(user):
            return deleted + final_counts
    raise Conflict(
        gettext(
            "A request of this account is still running. The rest of the account is erased automatically, within 20 "
            "minutes."
        )
    )


def _purge(user: User) -> Counter[str]:
    deleted: Counter[str] = Counter()
    while ids := list(Conversation.objects.owned_by(user).values_list("id", flat=True)[:CONVERSATIONS_PER_BATCH]):
        for id in ids:
            deleted += _purge_one(user, id)
    return deleted


def _purge_one(user: User, id: uuid.UUID) -> Counter[str]:
    try:
        return Counter(conversations=1, messages=conversations.purge(user=user, conversation_id=id))
    except NotFound:  # housekeeping or another erasure has purged it
        return Counter()


def _delete_user(user: User) -> Counter[str] | None:
    """Delete the user and all remaining rows that refer to the user. Return the numbers of deleted users and tokens.

    Delete nothing and return None if a request has stored a conversation in the meantime.
    """
    try:
        with refused_on_hold(_on_hold()):
            user_id, tokens = user.pk, user.tokens.count()
            # First, because `daily_usage.add_changes` locks changes before counts, too. Another order could deadlock.
            DailyUsageChange.objects.filter(user=user).delete()
            if users := user.delete()[1].get(User._meta.label, 0):
                receipts.add(user_id, tokens=tokens)
                receipts.end(user_id)
    except IntegrityError:
        return None
    return Counter(users=users, tokens=tokens)


def _addresses(user_ids: Collection[uuid.UUID]) -> set[str]:
    """Return every e-mail address of these users."""
    users = User.objects.filter(pk__in=user_ids, email__isnull=False).values_list("email", flat=True)
    addresses = EmailAddress.objects.filter(user__in=user_ids).values_list("email", flat=True)
    return {str(email) for email in (*users, *addresses)}


def _end_sessions(user_id: uuid.UUID, ids_and_addresses: Collection[str]) -> None:
    """Delete every session that contains one of these ids or e-mail addresses.

    Such a session can belong to a signed-in user, or to an unfinished sign-up or password reset. SQL cannot search the
    encoded data of sessions, so this function reads all sessions, in batches. It adds their number to the receipt of
    the user with `user_id`.
    """
    lowered = {text.lower() for text in ids_and_addresses}
    last_key = ""
    while rows := list(Session.objects.filter(session_key__gt=last_key).order_by("session_key")[:SESSIONS_PER_BATCH]):
        keys = [row.pk for row in rows if not lowered.isdisjoint(_words_of(row))]
        with transaction.atomic():
            receipts.add(user_id, sessions=Session.objects.filter(pk__in=keys).delete()[0])
        last_key = rows[-1].pk


def _words_of(session: Session) -> set[str]:
    """Return the words of a session's data, in lower case.

    Whole words are compared, so that an address does not match a longer address that contains it. A session can contain
    URL-encoded text, so the words of the URL-decoded text are added.
    """
    text = json.dumps(session.get_decoded(), ensure_ascii=False, default=str).lower()
    return {*WORD.findall(text), *WORD.findall(unquote_plus(text))}
