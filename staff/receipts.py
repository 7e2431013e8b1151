"""The receipts of erasures: the list, and all of them as CSV."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy

from accounts.models import User
from chatstore.database import release_connection
from conversations.models import ErasureReceipt

from .audit import record
from .big_tables import BigTableAdmin, ReadOnly
from .csv_files import stream_csv
from .fields import number
from .models import Action

COLUMNS = (
    "user_id conversation_id asked_by manager_id begun_at ended_at conversations messages tokens sessions managed_users"
).split()
BATCH = 1_000  # receipts in memory at a time


def _name_of(column: str) -> Subquery:
    return Subquery(User.objects.filter(pk=OuterRef(column)).values("email"))


def _count_column(name: str) -> Any:
    description = ErasureReceipt._meta.get_field(name).verbose_name  # type: ignore[union-attr]

    @admin.display(description=description)
    def show(receipt: ErasureReceipt) -> str:
        return number(getattr(receipt, name), str(description))

    show.__name__ = name
    return show


@admin.register(ErasureReceipt)
class ErasureReceiptAdmin(ReadOnly, BigTableAdmin):
    """The receipts are read-only, also in the database. They name users by their ids, because nothing else is left."""

    change_list_template = "admin/receipt_list.html"
    list_display = ("what", "asked", "begun", "ended", *map(_count_column, COLUMNS[6:]))
    list_display_links = None
    fields = readonly_fields = tuple(COLUMNS)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).annotate(asked_by_name=_name_of("asked_by"))

    def get_urls(self) -> list[Any]:
        download = self.admin_site.admin_view(self.download)
        return [path("csv/", download, name="conversations_erasurereceipt_csv"), *super().get_urls()]

    def download(self, request: HttpRequest) -> StreamingHttpResponse:
        """Send all receipts as CSV, newest first. Adds an event about the download. Raises PermissionDenied."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        record(request, Action.EXPORT, ErasureReceipt)
        return stream_csv(f"receipts-{timezone.now():%Y-%m-%d}.csv", COLUMNS, _batches())

    @admin.display(description=gettext_lazy("erased"))
    def what(self, receipt: ErasureReceipt) -> str:
        url = reverse("admin:conversations_erasurereceipt_change", args=[receipt.pk])
        kind = gettext("one conversation") if receipt.conversation_id else gettext("the user, with everything")
        if receipt.manager_id:
            kind = gettext("a managed user, with everything")
        id = receipt.conversation_id or receipt.user_id
        return format_html('<a href="{}">{}</a><span class="second">{}</span>', url, id, kind)

    @admin.display(description=gettext_lazy("asked by"))
    def asked(self, receipt: Any) -> str:
        if receipt.asked_by in (receipt.user_id, receipt.manager_id):
            return gettext("the user") if receipt.asked_by else gettext("unknown")
        return receipt.asked_by_name or str(receipt.asked_by)

    @admin.display(description=gettext_lazy("begun"))
    def begun(self, receipt: ErasureReceipt) -> str:
        return f"{receipt.begun_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description=gettext_lazy("ended"))
    def ended(self, receipt: ErasureReceipt) -> str:
        return f"{receipt.ended_at:%Y-%m-%d %H:%M:%S}" if receipt.ended_at else gettext("not yet")


def _batches() -> Iterator[list[tuple[object, ...]]]:
    """Yield all receipts, newest first, in batches. Releases the connection after each."""
    rows = ErasureReceipt.objects.order_by("-pk").values_list("pk", *COLUMNS)
    batch = list(rows[:BATCH])
    while batch:
        release_connection()
        yield [row[1:] for row in batch]
        batch = list(rows.filter(pk__lt=batch[-1][0])[:BATCH])
