"""The admin pages of the log. `audit.py` writes the log."""

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.utils.html import format_html
from django.utils.translation import gettext_lazy

from .big_tables import BigTableAdmin, ReadOnly
from .fields import time_column


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnly, BigTableAdmin):
    list_display = (time_column("action_time", gettext_lazy("when")), "user", "message", "content_type", "object_link")
    list_select_related = ("user", "content_type")
    fields = ("action_time", "user", "message", "content_type", "object_link")
    readonly_fields = ("message", "object_link")

    @admin.display(description=gettext_lazy("message"))
    def message(self, entry: LogEntry) -> str:
        return entry.get_change_message()

    @admin.display(description=gettext_lazy("object"))
    def object_link(self, entry: LogEntry) -> str:
        url = entry.get_admin_url()
        return format_html('<a href="{}">{}</a>', url, entry.object_repr) if url else entry.object_repr
