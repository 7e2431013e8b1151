"""The filters of the list of conversations.

[Decision 28](docs/decisions/0028-filters-of-the-list.md) says which index serves which filter.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext, gettext_lazy

from conversations.models import DISLIKES, PROBLEMS, Conversation, Message, Reaction, Share

from .filters import A_DAY, LIVE, ChoiceFilter, DayFilter, FlagFilter, StateFilter, TextFilter, UserFilter
from .review.verdicts import VerdictFilter
from .transcript.reading import ROLES
from .unread import NEVER_READ, NEW_MESSAGES, READ

VIEW_MESSAGE = "conversations.view_message"
MESSAGES = Message.objects.live().filter(conversation=OuterRef("pk"))
LAST_MESSAGE = Message.objects.filter(conversation=OuterRef("pk"), seq=OuterRef("tip_seq"))


class ConversationStateFilter(StateFilter):
    options = {
        "live": (gettext_lazy("Live"), LIVE & Q(archived_at__isnull=True)),
        "archived": (gettext_lazy("Archived"), LIVE & Q(archived_at__isnull=False)),
        "trash": StateFilter.options["trash"],
    }


class UnreadFilter(ChoiceFilter):
    title = gettext_lazy("read by staff")
    parameter_name = "unread"
    options = {
        "yes": (gettext_lazy("Unread"), NEVER_READ | NEW_MESSAGES),
        "new": (gettext_lazy("New messages"), NEW_MESSAGES),
        "no": (gettext_lazy("Read"), READ),
    }


class OwnerFilter(UserFilter):
    title = gettext_lazy("owner (id or e-mail)")
    parameter_name = "user"

    def describe(self, rows: Iterable[Any]) -> str:
        """Return the name of the owner. All rows have the same one."""
        return next((str(row.user) for row in rows), self.text)


class ModelFilter(TextFilter):
    title = gettext_lazy("model")
    parameter_name = "model"

    def narrow(self, queryset: QuerySet, text: str) -> QuerySet:
        return queryset.filter(model=text)

    def values_of(self, row: Conversation) -> Iterable[str]:
        return [row.model]


class TagFilter(TextFilter):
    title = gettext_lazy("tag")
    parameter_name = "tag"

    def narrow(self, queryset: QuerySet, text: str) -> QuerySet:
        # The index contains only rows with tags, and PostgreSQL uses it only if the condition says so.
        return queryset.exclude(tags=[]).filter(tags__contains=[text])

    def values_of(self, row: Conversation) -> Iterable[str]:
        return row.tags


class SourceFilter(TextFilter):
    title = gettext_lazy("source")
    parameter_name = "source"

    def narrow(self, queryset: QuerySet, text: str) -> QuerySet:
        return queryset.filter(source=text)

    def values_of(self, row: Conversation) -> Iterable[str]:
        return [row.source]


class ActiveSinceFilter(DayFilter):
    title = gettext_lazy("active since")
    parameter_name = "since"

    def condition(self, day: datetime) -> Q:
        return Q(active_at__gte=day)


class CreatedUntilFilter(DayFilter):
    """With `ActiveSinceFilter`, it selects the conversations of a period, also if they continued after it."""

    title = gettext_lazy("created until")
    parameter_name = "until"

    def condition(self, day: datetime) -> Q:
        return Q(created_at__lt=day + A_DAY)


class LastRoleFilter(ChoiceFilter):
    title = gettext_lazy("spoke last")
    parameter_name = "role"
    permission = VIEW_MESSAGE
    options = {role: (name, Q(Exists(LAST_MESSAGE.filter(role=role)))) for role, name in ROLES.items()}


class ToolCallsFilter(FlagFilter):
    title = gettext_lazy("has tool calls")
    parameter_name = "tools"
    permission = VIEW_MESSAGE
    condition = Q(Exists(MESSAGES.filter(tool_calls__isnull=False)))


class ErrorsFilter(FlagFilter):
    title = gettext_lazy("has errors")
    parameter_name = "errors"
    permission = VIEW_MESSAGE
    condition = Q(Exists(MESSAGES.filter(status__in=PROBLEMS)))


class DislikesFilter(FlagFilter):
    title = gettext_lazy("has dislikes")
    parameter_name = "dislikes"
    permission = "conversations.view_reaction"
    condition = Q(
        Exists(
            Reaction.objects.filter(
                type__in=DISLIKES, message__conversation=OuterRef("pk"), message__deleted_at__isnull=True
            )
        )
    )


class SharedFilter(FlagFilter):
    """Finds conversations with a link that works. The links of a conversation in the trash do not work."""

    title = gettext_lazy("is shared")
    parameter_name = "shared"
    condition = LIVE & Q(Exists(Share.objects.unexpired().filter(conversation=OuterRef("pk"))))


FILTERS = (
    ConversationStateFilter,
    UnreadFilter,
    OwnerFilter,
    ModelFilter,
    TagFilter,
    SourceFilter,
    VerdictFilter,
    ActiveSinceFilter,
    CreatedUntilFilter,
    LastRoleFilter,
    ToolCallsFilter,
    ErrorsFilter,
    DislikesFilter,
    SharedFilter,
)


def describe_filters(query: str) -> list[str]:
    """Return the filters in a query of the list for pages, such as "state: Live"."""
    return [_describe_filter(name, value) for name, value in parse_qsl(query)]


def _describe_filter(name: str, value: str) -> str:
    if name == "q":
        return gettext("search words: {words}").format(words=value)
    spec: Any = next((spec for spec in FILTERS if spec.parameter_name == name), None)
    if spec is None:
        return f"{name}: {value}"
    if issubclass(spec, FlagFilter):
        return str(spec.title)
    choices = spec.options if issubclass(spec, ChoiceFilter) else {}
    return f"{spec.title}: {choices[value][0] if value in choices else value}"
