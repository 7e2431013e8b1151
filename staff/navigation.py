"""The pages of the console, in sections by what people do. The sidebar and the home page show them."""

from typing import NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Entry(NamedTuple):
    label: str | Promise
    url_name: str
    permission: str


class Link(NamedTuple):
    label: str | Promise
    url: str
    is_current: bool


class Section(NamedTuple):
    label: str | Promise
    links: list[Link]


TABLE: tuple[tuple[str | Promise, tuple[Entry, ...]], ...] = (
    (
        _("Conversations"),
        (
            Entry(_("Conversations"), "conversations_conversation_changelist", "conversations.view_conversation"),
            Entry(_("Search"), "search", "conversations.view_message"),
            Entry(_("Messages"), "conversations_message_changelist", "conversations.view_message"),
            Entry(_("Export"), "conversations_conversation_export_list", "conversations.export_conversation"),
            Entry(_("Jobs"), "staff_job_changelist", "staff.view_job"),
        ),
    ),
    (
        _("Review"),
        (
            Entry(_("Review"), "review", "staff.view_review"),
            Entry(_("Reactions"), "conversations_reaction_changelist", "conversations.view_reaction"),
        ),
    ),
    (
        _("Users"),
        (
            Entry(_("Users"), "accounts_user_changelist", "accounts.view_user"),
            Entry(_("Legal holds"), "conversations_hold_changelist", "conversations.view_hold"),
            Entry(_("What will be deleted"), "deletions", "conversations.view_erasurereceipt"),
            Entry(
                _("Erasures"),
                "conversations_erasurereceipt_changelist",
                "conversations.view_erasurereceipt",
            ),
        ),
    ),
    (
        _("Audit"),
        (Entry(_("What staff did"), "staff_auditevent_changelist", "staff.view_auditevent"),),
    ),
    (
        _("Settings"),
        (
            Entry(_("Labels"), "staff_label_changelist", "staff.view_label"),
            Entry(_("Preferences"), "accounts_preferences_changelist", "accounts.view_preferences"),
            Entry(_("API tokens"), "accounts_apitoken_changelist", "accounts.view_apitoken"),
            Entry(_("E-mail addresses"), "account_emailaddress_changelist", "account.view_emailaddress"),
            Entry(_("Second factors"), "mfa_authenticator_changelist", "mfa.view_authenticator"),
            Entry(_("Linked accounts"), "socialaccount_socialaccount_changelist", "socialaccount.view_socialaccount"),
            Entry(_("Groups"), "auth_group_changelist", "auth.view_group"),
        ),
    ),
)


def sections(request: HttpRequest) -> list[Section]:
    """Return the sections with the links that the user may open. Sections without such links are left out."""
    all_sections = [Section(label, _links(request, entries)) for label, entries in TABLE]
    return [section for section in all_sections if section.links]


def _links(request: HttpRequest, entries: tuple[Entry, ...]) -> list[Link]:
    """Return the allowed links. The current one is the longest that begins the path, as a page can be below another."""
    allowed = [entry for entry in entries if request.user.has_perm(entry.permission)]
    urls = [reverse(f"admin:{entry.url_name}") for entry in allowed]
    current = max(filter(request.path.startswith, urls), key=len, default="")
    return [Link(entry.label, url, url == current) for entry, url in zip(allowed, urls, strict=True)]
