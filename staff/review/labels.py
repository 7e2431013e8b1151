"""The admin's pages of labels."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from staff.big_tables import BigTableAdmin
from staff.models import Label

from .panel import verdict_badge


@admin.register(Label)
class LabelAdmin(BigTableAdmin):
    """A label cannot be deleted, because verdicts refer to it. It can be withdrawn from the choice."""

    list_display = ("shown", "tone", "position", "is_active")

    @admin.display(description=gettext_lazy("name"))
    def shown(self, label: Label) -> str:
        return verdict_badge(label.name, label.tone)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
