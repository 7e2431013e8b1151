"""Entries in the admin's log: which rows staff change, and which conversations and messages they read."""

import json
from typing import Any, cast

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import HttpRequest


def record(request: HttpRequest, obj: Model, message: str | list[Any], flag: int = CHANGE) -> LogEntry:
    """Add an entry to the admin's log. The entry contains the id of the row, not its `str()`, which is often an e-mail
    address, a name or a title. The entry remains after the row is deleted."""
    return LogEntry.objects.create(
        user=cast(Any, request.user),
        content_type=ContentType.objects.get_for_model(obj),
        object_id=str(obj.pk),
        object_repr=str(obj.pk),
        action_flag=flag,
        change_message=message if isinstance(message, str) else json.dumps(message),
    )
