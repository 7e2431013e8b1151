"""The users' pages of staff.accounts, and what takes conversations along: erasing them."""

from django.contrib import admin, messages
from django.contrib.admin.models import DELETION
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from accounts.models import User
from chatstore.errors import ServiceError
from conversations.services import erase

from . import audit
from .accounts import UserAdmin
from .actions import confirm

admin.site.unregister(User)


@admin.register(User)
class ErasableUserAdmin(UserAdmin):
    actions = ("erase",)

    def has_erase_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    @admin.action(description="Erase", permissions=["erase"])
    def erase(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        if "confirmed" in request.POST:
            self._erase(request, queryset)
            return None
        return confirm(
            self,
            request,
            queryset,
            action="erase",
            title=gettext("Erase users?"),
            warning=gettext(
                "These users will be gone with all that is theirs, and whom they manage. This cannot be taken back."
            ),
            rows=[str(user) for user in queryset],
            submit=gettext("Erase"),
        )

    def _erase(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        users = 0
        for user in queryset:
            try:
                # Many transactions: the line is in the log before the first of them, and without a name.
                audit.record(request, user, "Erasure asked for.", DELETION)
                users += erase.erase(user=user)["users"]
            except ServiceError as refused:
                self.message_user(request, f"{user}: {refused.message}", messages.ERROR)
        self.message_user(request, gettext("Users erased: {count}.").format(count=users))
