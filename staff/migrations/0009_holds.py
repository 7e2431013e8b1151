from importlib import import_module
from typing import Any

from django.db import migrations

VIEW_HOLD = ("conversations", "hold", "view_hold", "Can view legal hold")
PLACE_HOLD = ("conversations", "hold", "place_hold", "Can place and release legal holds")
VIEW_RECEIPT = ("conversations", "erasurereceipt", "view_erasurereceipt", "Can view receipt of an erasure")
NEW = {"Support": [VIEW_HOLD], "Curators": [VIEW_HOLD], "Privacy": [VIEW_HOLD, PLACE_HOLD, VIEW_RECEIPT]}


def add_permissions(apps: Any, schema_editor: Any) -> None:
    """Add the permissions of holds and receipts to the groups of migration 0003, as far as they exist."""
    get_permission = import_module("staff.migrations.0003_groups").get_permission
    for name, permissions in NEW.items():
        for group in apps.get_model("auth", "Group").objects.filter(name=name):
            group.permissions.add(*(get_permission(apps, *permission) for permission in permissions))


class Migration(migrations.Migration):
    """Give the groups the right to see legal holds, and Privacy the rights to place them and to see receipts."""

    dependencies = [("staff", "0008_job")]

    operations = [
        migrations.RunPython(add_permissions, migrations.RunPython.noop),
    ]
