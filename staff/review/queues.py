"""The queues: messages and conversations that nobody has judged or looked at yet.

The cost of a queue is bounded. The queues of messages read the WINDOW newest candidates of the last DAYS days with an
index. The queues of saved filters read the list of conversations, with a time limit. Each queue is in the order of the
ids, newest first, so the position of an item is its id."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, NamedTuple, cast
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import EmptyResultSet
from django.db import transaction
from django.db.models import BooleanField, Exists, Func, OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest, QueryDict
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.models import User
from chatstore.errors import Invalid
from chatstore.ids import first_id, parse_uuid
from conversations.models import DISLIKES, Conversation, Message, Reaction, Status
from conversations.search import Budget
from staff.matching import conversations_matching
from staff.models import Review, SavedFilter

from .changes import take

DAYS = 90
WINDOW = 5_000  # candidates
MOST = 500  # the highest count; a queue with more items shows 500+
TIME_LIMIT = 1_000  # milliseconds for all counts, and for the items of a page
TRIES = 20  # candidates that "next" reads at a time
NOTHING = "SELECT NULL::uuid AS assignee_id WHERE false"

Items = QuerySet[Any]  # messages or conversations


class IsSampled(Func):
    """Tests whether a message is in the sample, by the random end of its id.

    The index `message_sample` has the same condition (migration 0014 of `conversations`)."""

    template = "mod(256 * get_byte(uuid_send(%(expressions)s), 14) + get_byte(uuid_send(%(expressions)s), 15), 100) = 0"
    output_field = BooleanField()


class IsOneOf(Func):
    """Tests whether an id is in an array.

    With `IN (SELECT …)`, PostgreSQL could read all messages in the order of their ids, and compare each with the
    candidates."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()


class Queue(NamedTuple):
    """A queue. `items` returns its open items, with `assignee_id`, in order."""

    key: str
    name: str | Promise
    items: Callable[[], Items]


class Count(NamedTuple):
    """The numbers of items: of all, of those that are assigned to nobody, and of those that are assigned to the user.

    A queue counts at most MOST + 1 items."""

    all: int
    nobody: int
    mine: int

    @property
    def text(self) -> str:
        return f"{MOST}+" if self.all > MOST else str(self.all)


def fixed_queues() -> list[Queue]:
    return [
        Queue("dislikes", gettext_lazy("Dislikes not yet looked at"), lambda: _open_messages(_disliked())),
        Queue("failed", gettext_lazy("Failed replies not yet looked at"), lambda: _open_messages(_failed())),
        Queue("sample", gettext_lazy("A sample of one percent of the replies"), lambda: _open_messages(_sampled())),
    ]


def saved_queues(request: HttpRequest) -> list[Queue]:
    """Return the queues of the saved filters. Runs one statement."""
    return [saved_queue(request, row) for row in SavedFilter.objects.all()]


def saved_queue(request: HttpRequest, saved: SavedFilter) -> Queue:
    return Queue(str(saved.pk), saved.name, lambda: _open_conversations(narrow_list(request, saved.query)))


def find_queue(request: HttpRequest, key: str) -> Queue:
    """Return the queue with this key. Raises Http404."""
    for queue in fixed_queues():
        if queue.key == key:
            return queue
    id = parse_uuid(key)
    if id is None:
        raise Http404
    return saved_queue(request, get_object_or_404(SavedFilter, pk=id))


def count_items(queues: Iterable[Queue], user_id: UUID) -> dict[str, Count | None]:
    """Return the counts of the queues by their keys. Runs one statement.

    If the saved filters take too long together, their counts are None, and a second statement counts the others."""
    queues = list(queues)
    try:
        with transaction.atomic():
            return _count(queues, user_id)
    except Invalid:  # too slow
        fixed = {queue.key for queue in fixed_queues()}
        counts = _count([queue for queue in queues if queue.key in fixed], user_id)
        return {queue.key: counts.get(queue.key) for queue in queues}


def _count(queues: list[Queue], user_id: UUID) -> dict[str, Count | None]:
    """Raises Invalid if the statement takes too long."""
    counts, params = [], []
    for queue in queues:
        try:
            inner, values = queue.items().order_by().values("assignee_id")[: MOST + 1].query.sql_with_params()
        except EmptyResultSet:  # Django knows without a statement that nothing fits
            inner, values = NOTHING, ()
        # The keys are not from users: the names of fixed queues, or UUIDs.
        counts.append(
            f"""SELECT '{queue.key}', count(*), count(*) FILTER (WHERE assignee_id IS NULL),
            count(*) FILTER (WHERE assignee_id = %s) FROM ({inner}) items"""
        )
        params += [user_id, *values]
    if not counts:
        return {}
    rows = Budget().fetch(" UNION ALL ".join(counts), params, limit=TIME_LIMIT)
    return {key: Count(*numbers) for key, *numbers in rows}


def take_next(request: HttpRequest, queue: Queue, after: UUID | None) -> Message | Conversation | None:
    """Assign the next item to the user, and return it. Return None at the end of the queue.

    The next item is the first one after the position `after` that is assigned to nobody or to the user. Two users never
    get the same item. Raises Invalid if the queue takes too long to read."""
    mine = Q(assignee_id=None) | Q(assignee_id=request.user.pk)
    while candidates := read_first(_after(queue.items(), after).filter(mine), TRIES):
        for candidate in candidates:
            if take(request, candidate):
                row: Message | Conversation = candidate
                return row
        after = candidates[-1].pk
    return None


def read_first(items: Items, count: int) -> list[Any]:
    """Return the first items of a queue. Executes two statements.

    Raises Invalid if the first one, which finds them, takes longer than TIME_LIMIT."""
    try:
        statement, params = items.values("pk")[:count].query.sql_with_params()
    except EmptyResultSet:
        return []
    with transaction.atomic():
        ids = [id for (id,) in Budget().fetch(statement, params, limit=TIME_LIMIT)]
    return list(items.filter(pk__in=ids)) if ids else []


def narrow_list(request: HttpRequest, query: str) -> Items:
    """Return the conversations that the list shows for a query. Returns none if a filter is not valid any more."""
    try:
        rows: Items = conversations_matching(cast(User, request.user), QueryDict(query))
    except Invalid:
        return Conversation.objects.none()
    return rows


def _after(items: Items, position: UUID | None) -> Items:
    return items.filter(pk__lt=position) if position else items


def _first_id() -> UUID:
    return first_id(timezone.now() - timedelta(days=DAYS))


def _disliked() -> QuerySet:
    dislikes = Reaction.objects.filter(type__in=DISLIKES, pk__gte=_first_id()).order_by("-pk")
    return dislikes.values("message")[:WINDOW]


def _failed() -> QuerySet:
    rows = Message.objects.live().filter(status=Status.FAILED, pk__gte=_first_id())
    return rows.order_by("-pk").values("pk")[:WINDOW]


def _sampled() -> QuerySet:
    rows = Message.objects.live().filter(IsSampled("id"), role="assistant", pk__gte=_first_id())
    return rows.order_by("-pk").values("pk")[:WINDOW]


def _open_messages(candidates: QuerySet) -> Items:
    rows = Message.objects.filter(IsOneOf("pk", ArraySubquery(candidates))).in_live_conversations()
    return _open(rows, Review.objects.filter(message=OuterRef("pk"))).only("seq", "conversation", "user")


def _open_conversations(rows: Items) -> Items:
    return _open(rows, Review.objects.filter(conversation=OuterRef("pk"), message=None))


def _open(rows: Items, reviews: QuerySet[Review]) -> Items:
    open_rows = rows.filter(~Exists(reviews.filter(done_at__isnull=False)))
    return open_rows.annotate(assignee_id=Subquery(reviews.values("assignee_id")[:1])).order_by("-pk")
