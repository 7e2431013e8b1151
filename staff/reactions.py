from django.contrib import admin

from conversations.models import Reaction

from .big_tables import BigTableAdmin, ReadOnly
from .fields import created, user_column


@admin.register(Reaction)
class ReactionAdmin(ReadOnly, BigTableAdmin):
    """Reactions are read-only. Only users add and remove their own reactions."""

    list_display = ("type", "message", user_column, created)
    list_select_related = ("message", "user")
    list_only = (
        "type",
        "message__seq",
        "message__role",
        "user__email",
        "user__name",
        "user__external_id",
        "created_at",
    )
    fields = ("type", "message", "user", "created_at")
