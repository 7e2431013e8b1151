"""Builds what a model gets. (Branch `providers` replaces this file.)"""

from typing import Any

from conversations.models import Message
from replies.models import Reply


def build_context(reply: Reply) -> list[dict[str, Any]]:
    assert reply.message
    question = Message.objects.owned_by(reply.user).get(id=reply.message.metadata["answers"])
    return [{"role": "user", "content": question.content}]
