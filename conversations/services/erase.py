"""Erasing a user, with all that is theirs and whom they manage.

What can go wrong: something comes in while the rest goes; the process dies half-way; millions of rows go in one
transaction. So: first all of them are deactivated and marked, and that is committed: from then on no token and no
session opens anything, and only requests that had begun can still write. Then conversation after conversation is
purged, in bounded transactions; then what else refers to them, and the user's row last. Until that is gone the mark
stands, and housekeeping finishes what was cut short. Two at once do each other no harm.
"""

import json
import re
import uuid
from collections import Counter
from collections.abc import Collection
from datetime import timedelta
from urllib.parse import unquote_plus

from allauth.account.models import EmailAddress
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext

from accounts.models import User
from chatstore.errors import Conflict, NotFound
from conversations.models import Conversation

from . import conversations

CONVERSATIONS_A_BATCH = 100
SESSIONS_A_BATCH = 1_000
ATTEMPTS = 3
USERS_A_RUN = 10
WORD = re.compile(r'[^\s"<>,:;()\[\]\\=&]+')  # an id or an e-mail address, whatever stands around it
ABANDONED = timedelta(minutes=10)  # by then whoever began it is through, or dead
# Each stands alone from then on: who managed whom does not matter any more, in whatever order they go.
MARK = """WITH RECURSIVE gone AS (SELECT %s::uuid AS id
    UNION SELECT account.id FROM account JOIN gone ON account.managed_by_id = gone.id)
    UPDATE account SET is_active = false, erasing_at = clock_timestamp(), managed_by_id = NULL
    FROM gone WHERE account.id = gone.id RETURNING account.id"""


def erase(*, user: User) -> Counter[str]:
    """How much of each kind is gone."""
    if user.is_staff:
        raise Conflict(gettext("Staff cannot be erased: a superuser takes their rights away first."))
    return _erase(user.pk)


def resume() -> int:
    """Erasures that were cut short, finished; of how many users."""
    begun = User.objects.filter(erasing_at__lt=Now() - ABANDONED).order_by("erasing_at").values_list("pk", flat=True)
    return sum(_erase(id)["users"] for id in begun[:USERS_A_RUN])


def _erase(user_id: uuid.UUID) -> Counter[str]:
    with connection.cursor() as cursor:
        cursor.execute(MARK, [user_id])
        ids = [id for (id,) in cursor.fetchall()]
    _end_sessions({str(id) for id in ids} | _addresses(ids))
    return sum((_erase_one(user) for user in User.objects.filter(pk__in=ids)), Counter())


def _erase_one(user: User) -> Counter[str]:
    gone: Counter[str] = Counter()
    for _ in range(ATTEMPTS):
        gone += _purge(user)
        if removed := _remove(user):
            return gone + removed
    raise Conflict(gettext("Something of this account is still being written; it is removed within minutes."))


def _purge(user: User) -> Counter[str]:
    gone: Counter[str] = Counter()
    while ids := list(Conversation.objects.owned_by(user).values_list("id", flat=True)[:CONVERSATIONS_A_BATCH]):
        for id in ids:
            gone += _purge_one(user, id)
    return gone


def _purge_one(user: User, id: uuid.UUID) -> Counter[str]:
    try:
        return Counter(conversations=1, messages=conversations.purge(user=user, conversation_id=id))
    except NotFound:  # housekeeping was faster
        return Counter()


def _remove(user: User) -> Counter[str] | None:
    """What is left, all or none. None where a request that had begun before has stored something meanwhile."""
    try:
        with transaction.atomic():
            _anonymize_log(user)
            tokens = user.tokens.count()
            users = user.delete()[1].get(User._meta.label, 0)
    except IntegrityError:
        return None
    return Counter(users=users, tokens=tokens)


def _anonymize_log(user: User) -> None:
    """What was done to them, and what they did when they were staff, stays said; who they were does not."""
    about = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(User), object_id=str(user.pk))
    about.update(object_repr=str(user.pk))
    theirs = LogEntry.objects.filter(user=user)
    if theirs.exists():
        nobody = User(is_active=False)
        nobody.set_unusable_password()
        nobody.save()
        theirs.update(user=nobody)


def _addresses(user_ids: Collection[uuid.UUID]) -> set[str]:
    """Return every e-mail address of these users."""
    users = User.objects.filter(pk__in=user_ids, email__isnull=False).values_list("email", flat=True)
    addresses = EmailAddress.objects.filter(user__in=user_ids).values_list("email", flat=True)
    return {str(email) for email in (*users, *addresses)}


def _end_sessions(names: Collection[str]) -> None:
    """Delete each session that holds one of these ids or addresses anywhere: of whoever is signed in, but also an
    unfinished sign-up or reset of a password. They are inside the encoded data, so every session is read."""
    sought = {name.lower() for name in names}
    key = ""
    while rows := list(Session.objects.filter(session_key__gt=key).order_by("session_key")[:SESSIONS_A_BATCH]):
        theirs = [row.pk for row in rows if not sought.isdisjoint(_words_of(row))]
        Session.objects.filter(pk__in=theirs).delete()
        key = rows[-1].pk


def _words_of(session: Session) -> set[str]:
    """Return the words of the session's data, whole, so that a longer address stays another one. A form that waits in
    a session is URL-encoded: its words are added as they were typed."""
    text = json.dumps(session.get_decoded(), ensure_ascii=False, default=str).lower()
    return {*WORD.findall(text), *WORD.findall(unquote_plus(text))}
