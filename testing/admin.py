"""Addresses of admin pages, permissions for their users, and the audit of what they do."""

from typing import Any

from django.contrib.auth.models import Permission
from django.urls import reverse

from accounts.models import User
from staff.models import AuditEvent


def allow(user: User, *codenames: str) -> None:
    """Give the user permissions, such as "view_user"."""
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))


def list_of(model: Any) -> str:
    """Return the path of the model's change list."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def page_of(row: Any, page: str = "change") -> str:
    """Return the path of one of the row's pages, such as "change", "history" or "delete"."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}", args=[row.pk])


def rights(**changes: object) -> dict[str, object]:
    return {"email": "alice@example.com", "name": "Alice", "image": "", **changes}


def audited(row: Any) -> list[tuple[str, Any]]:
    """Return the action and the details of each audit event about a row, in order."""
    events = AuditEvent.objects.filter(object_type=row._meta.label_lower, object_id=row.pk)
    return list(events.order_by("id").values_list("action", "details"))
