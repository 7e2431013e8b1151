"""Answers questions at once, in the transaction of the test, for tests of what surrounds a reply.

The fixture `answers_at_once` of conftest.py replaces the log of a generator with that of this module. Tests of
generators, of streams and of simultaneous requests use the fixture `generator` (testing/generator.py) instead, which
needs committed data.
"""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from django.db import connection

from chatstore.ids import new_id
from conversations.models import Message
from replies import providers
from replies.events import Content, Logged, to_event
from replies.following import Follower
from replies.generator import claims
from replies.models import Event, Reply, State
from replies.providers import Finish, echo
from replies.services import context, finish
from replies.services.finish import Ending, Times

from .provider_streams import read_stream


def read_log(follower: Follower, timeout: float | None) -> Iterator[Logged]:
    """Generate all replies of the queue, and yield the log of the followed one. Replaces `Follower.until`."""
    for reply in claims.claim(new_id(), limit=10):
        generate(reply)
    log = Event.objects.filter(reply=follower.reply_id).order_by("n").values_list("n", "event", "data")
    yield from (Logged(*row) for row in log if row[0] > follower.after)
    if not log:
        yield from (Logged(0, "message", text) for text in Message.objects.filter(id=follower.reply_id).json_texts())


def generate(reply: Reply) -> None:
    provider: Any = providers.find(reply.request["model"])
    messages, reply.tokens = context.prepare(reply)
    with patch.object(echo, "PAUSE", 0):
        deltas, error = read_stream(provider, messages, **reply.request["options"])
    said = [delta for delta in deltas if not isinstance(delta, Finish)]
    events = [to_event(n, delta) for n, delta in enumerate(said, start=2)]
    content = Content(said)
    reply.tokens = 0 if error and content.is_empty() else reply.tokens
    finish.finish(reply, _ending(deltas, error, content), content, events, Times(1, 2))
    with connection.cursor() as cursor:  # `finish` sets a limit until the transaction ends, which is that of the test
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")


def _ending(deltas: Any, error: str, content: Content) -> Ending:
    if error:
        state = State.FAILED if content.is_empty() else State.INCOMPLETE
        return Ending(state, code="upstream_failed", message=error)
    return Ending(State.COMPLETED, deltas[-1])
