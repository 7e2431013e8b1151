"""The admin's pages of reactions."""

from django.contrib import admin
from django.utils.translation import gettext_lazy

from conversations.models import Reaction

from .big_tables import BigTableAdmin, ReadOnly
from .fields import badge, conversation_link, created, user_column

KINDS = {"thumbs_up": "ok", "thumbs_down": "danger"}


@admin.register(Reaction)
class ReactionAdmin(ReadOnly, BigTableAdmin):
    """Reactions are read-only. Only users add and remove their own reactions."""

    list_display = ("reaction", "conversation", "message", user_column, created)
    list_select_related = ("message__conversation", "user")
    list_only = tuple(
        """type message__seq message__role message__conversation__title user__email user__name user__external_id
        created_at""".split()
    )
    fields = ("type", "message", "user", "created_at")

    @admin.display(description=gettext_lazy("reaction"))
    def reaction(self, reaction: Reaction) -> str:
        return badge(reaction.type, KINDS.get(reaction.type, ""))

    @admin.display(description=gettext_lazy("conversation"))
    def conversation(self, reaction: Reaction) -> str:
        return conversation_link(reaction.message.conversation)
