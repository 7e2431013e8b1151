"""The conversations of a job: those that match the filters and the search of the list, in batches, newest first.

A job selects only conversations that existed when it was created. A conversation must still match when the job gets to
it."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from django.http import QueryDict
from django.utils.translation import gettext
from psycopg.errors import QueryCanceled

from accounts.models import User
from chatstore.errors import Invalid
from conversations.models import Conversation
from staff.matching import conversations_matching
from staff.models import Job

from .actions import ConversationAction

BATCH = 50
SECONDS = 30


def next_batch(job: Job, action: ConversationAction, actor: User) -> list[Conversation]:
    """Return the next BATCH conversations after the job's cursor. Raises Invalid if the list refuses a filter, or
    if the conversations cannot be found in SECONDS."""
    with _limited_time():
        return _read_batch(job, action, actor)


def _read_batch(job: Job, action: ConversationAction, actor: User) -> list[Conversation]:
    rows = action.select(conversations_matching(actor, QueryDict(job.query)), job.tag).filter(
        created_at__lte=job.created_at
    )
    if job.cursor:
        rows = rows.filter(pk__lt=job.cursor)
    return list(rows.select_related("user").order_by("-pk")[:BATCH])


@contextmanager
def _limited_time() -> Iterator[None]:
    """Limit each statement of the block to SECONDS, less than the lease of a job. Raises Invalid after a longer one."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{SECONDS * 1000:.0f}"])
            yield
            # The limit ends with the block, also if the caller has a transaction.
            cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise Invalid(gettext("Finding these conversations takes too long. Use other filters.")) from None
        raise
