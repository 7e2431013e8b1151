"""The limits of replies: how many are under way, and how many tokens a user gets in a day."""

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
    count(*) FILTER (WHERE state IN ('queued', 'running')), coalesce(sum(tokens), 0),
    extract(epoch FROM min(created_at) FILTER (WHERE tokens > 0) + interval '1 day' - now())
    FROM reply WHERE user_id = %s AND NOT request ? 'title_of' AND created_at > now() - interval '1 day'"""


def check(user: User) -> None:
    """Raise RateLimited if the user may not ask now.

    Takes an advisory lock of the user until the transaction ends: without it, two questions at once could both take the
    last place. The transaction takes no other lock afterwards. The limit of all replies has no lock, because all users
    would wait for it; questions at the same moment can exceed it by their number.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"chatstore replies {user.pk}"])
        cursor.execute(COUNTS, [user.pk])
        in_all, under_way, tokens, wait = cursor.fetchone()
    if under_way >= settings.REPLIES_PER_USER:
        raise RateLimited(gettext("{count} replies under way at once").format(count=under_way), wait=WAIT)
    if in_all >= settings.REPLIES_IN_ALL:
        raise RateLimited(gettext("{count} replies of all users under way at once").format(count=in_all), wait=WAIT)
    if settings.TOKENS_PER_DAY and tokens >= settings.TOKENS_PER_DAY:
        limit = gettext("{count} tokens a day").format(count=settings.TOKENS_PER_DAY)
        raise RateLimited(limit, wait=float(wait or DAY))


def context() -> dict[str, int]:
    """Return how much of a conversation a model gets."""
    return {"messages": settings.CONTEXT_MESSAGES, "tokens": settings.CONTEXT_TOKENS}
