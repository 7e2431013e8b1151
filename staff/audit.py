"""What staff did and what they read, in the admin's own log.

An entry names a row by its id: a title is often its user's first words, and would stay here after a purge.
"""

import json
from typing import Any, cast

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import HttpRequest

from accounts.models import User

from .big_tables import BigTableAdmin


def record(request: HttpRequest, obj: Model, message: str | list[Any], flag: int = CHANGE) -> LogEntry:
    return LogEntry.objects.create(
        user=cast(User, request.user),
        content_type=ContentType.objects.get_for_model(obj),
        object_id=str(obj.pk),
        object_repr=str(obj.pk),
        action_flag=flag,
        change_message=message if isinstance(message, str) else json.dumps(message),
    )


class AuditedAdmin(BigTableAdmin):
    def log_change(self, request: HttpRequest, obj: Model, message: str | list[Any]) -> LogEntry:
        return record(request, obj, message)
