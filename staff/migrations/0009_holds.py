from importlib import import_module
from typing import Any

from django.db import migrations, models

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

    dependencies = [("staff", "0004_move_log"), ("conversations", "0013_erasure_receipt")]

    operations = [
        migrations.AlterField(
            model_name="auditevent",
            name="action",
            field=models.CharField(
                choices=[
                    ("read_transcript", "read a transcript"),
                    ("read_message", "read a message"),
                    ("search", "searched"),
                    ("export", "exported"),
                    ("add", "added"),
                    ("change", "changed"),
                    ("trash", "moved to the trash"),
                    ("restore", "restored"),
                    ("delete", "deleted for good"),
                    ("erase", "erased"),
                    ("place_hold", "placed a hold"),
                    ("release_hold", "released a hold"),
                    ("reason", "gave a reason"),
                    ("refused", "was refused"),
                ],
                max_length=16,
                verbose_name="action",
            ),
        ),
        migrations.RunPython(add_permissions, migrations.RunPython.noop),
    ]
