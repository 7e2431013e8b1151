from typing import Any

from django.db import migrations


def allow_export(apps: Any, schema_editor: Any) -> None:
    """Give the group Privacy the permission to export. Do nothing if an operator has deleted the group.

    The permission is created here if it is missing, because Django creates permissions only after all migrations."""
    types, permissions = apps.get_model("contenttypes", "ContentType"), apps.get_model("auth", "Permission")
    content_type, _ = types.objects.get_or_create(app_label="conversations", model="conversation")
    permission, _ = permissions.objects.get_or_create(
        content_type=content_type, codename="export_conversation", defaults={"name": "Can export conversations"}
    )
    for group in apps.get_model("auth", "Group").objects.filter(name="Privacy"):
        group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [("staff", "0010_user_page")]

    operations = [migrations.RunPython(allow_export, migrations.RunPython.noop)]
