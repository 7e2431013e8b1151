from importlib import import_module
from typing import Any

from django.db import migrations

get_permission: Any = import_module("staff.migrations.0003_groups").get_permission

SUSPEND = ("accounts", "user", "suspend_user", "Can suspend users, and sign them out")
EXPORT = ("accounts", "user", "export_user", "Can export the data of users")
DETAILS = ("accounts", "user", "view_details", "Can view preferences, sign-in methods, sessions and tokens of users")
GROUPS = {"Support": [DETAILS], "Curators": [DETAILS], "Privacy": [DETAILS, SUSPEND, EXPORT]}


def add_permissions(apps: Any, schema_editor: Any) -> None:
    """Add the permissions of the page of a user to the groups that exist."""
    for name, permissions in GROUPS.items():
        for group in apps.get_model("auth", "Group").objects.filter(name=name):
            group.permissions.add(*[get_permission(apps, *permission) for permission in permissions])


class Migration(migrations.Migration):
    dependencies = [
        ("staff", "0009_holds"),
        ("accounts", "0012_session_ends"),
    ]

    operations = [
        migrations.RunPython(add_permissions, migrations.RunPython.noop),
    ]
