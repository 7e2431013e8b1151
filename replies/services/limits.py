"""The limits of replies: how many are under way, and how many tokens a user gets in a day.

Titles that a model writes take no place of the replies of their user, but their tokens count.
"""

from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext

from accounts.models import User
from chatstore.errors import RateLimited

WAIT = 5  # seconds after which a client can ask again while replies are under way
DAY = 24 * 3600  # seconds
# Each count reads one index. Replies that ended a day ago do not count, and the index of a user ends there.
COUNTS = """SELECT
    (SELECT count(*) FROM reply WHERE state = 'queued') + (SELECT count(*) FROM reply WHERE state = 'running'),
    count(*) FILTER (WHERE state IN ('queued', 'running') AND NOT request ? 'title_of'),
    count(*) FILTER (WHERE state IN ('queued', 'running') AND request ? 'title_of'), coalesce(sum(tokens), 0),
    extract(epoch FROM min(created_at) FILTER (WHERE tokens > 0) + interval '1 day' - now())
    FROM reply WHERE user_id = %s AND created_at > now() - interval '1 day'"""


class Counts(NamedTuple):
    in_all: int  # replies and titles under way, of all users
    replies: int  # of the user, under way
    titles: int  # of the user, under way
    tokens: int  # of the user, in a day
    wait: float | None  # seconds until fewer tokens count


def check(user: User) -> None:
    """Raise RateLimited if the user may not ask now.

    Takes an advisory lock of the user until the transaction ends: without it, two questions at once could both take the
    last place. The transaction takes no other lock afterwards. The limit of all replies has no lock, because all users
    would wait for it; questions at the same moment can exceed it by their number.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"chatstore replies {user.pk}"])
    counts = _count(user)
    if counts.replies >= settings.REPLIES_PER_USER:
        raise RateLimited(gettext("{count} replies under way at once").format(count=counts.replies), wait=WAIT)
    if counts.in_all >= settings.REPLIES_IN_ALL:
        limit = gettext("{count} replies of all users under way at once").format(count=counts.in_all)
        raise RateLimited(limit, wait=WAIT)
    if settings.TOKENS_PER_DAY and counts.tokens >= settings.TOKENS_PER_DAY:
        limit = gettext("{count} tokens a day").format(count=settings.TOKENS_PER_DAY)
        raise RateLimited(limit, wait=float(counts.wait or DAY))


def allow_title(user: User) -> bool:
    """Return whether a title may be requested now. A user has at most as many titles under way as replies."""
    counts = _count(user)
    return counts.in_all < settings.REPLIES_IN_ALL and counts.titles < settings.REPLIES_PER_USER


def _count(user: User) -> Counts:
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, [user.pk])
        return Counts(*cursor.fetchone())


def context() -> dict[str, int]:
    """Return how much of a conversation a model gets."""
    return {"messages": settings.CONTEXT_MESSAGES, "tokens": settings.CONTEXT_TOKENS}
