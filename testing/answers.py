"""Answers questions at once, in the transaction of the test, for tests of what surrounds a reply.

The fixture `answers_at_once` replaces the wait for a generator with the work of one. Tests of generators, of streams
and of simultaneous requests use the fixture `generator` (testing/generator.py), which needs committed data.
"""

import uuid
from typing import Any

from django.db import connection

from chatstore.ids import new_id
from replies import providers
from replies.events import Content
from replies.generator import claims
from replies.models import Reply, State
from replies.providers import Finish
from replies.services import context, finish
from replies.services.finish import Ending, Times

from .provider_streams import read_stream


def answer_now(reply_id: uuid.UUID, timeout: float | None = None) -> State:
    """Generate all replies of the queue. Replaces `following.wait`."""
    for reply in claims.claim(new_id(), limit=10):
        generate(reply)
    return State(Reply.objects.get(id=reply_id).state)


def generate(reply: Reply) -> None:
    provider: Any = providers.find(reply.request["model"])
    messages = reply.request.get("messages") or context.build_context(reply)
    deltas, error = read_stream(provider, messages, **reply.request["options"])
    content = Content(delta for delta in deltas if not isinstance(delta, Finish))
    finish.finish(reply, _ending(deltas, error, content), content, [], Times(1, 2))
    with connection.cursor() as cursor:  # `finish` sets a limit until the transaction ends, which is that of the test
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")


def _ending(deltas: Any, error: str, content: Content) -> Ending:
    if error:
        state = State.FAILED if content.is_empty() else State.INCOMPLETE
        return Ending(state, code="upstream_failed", message=error)
    return Ending(State.COMPLETED, deltas[-1])
