from importlib import import_module
from typing import Any

from django.db import migrations
from django.utils.translation import gettext_noop

LABELS = [
    (gettext_noop("Good"), "ok"),
    (gettext_noop("Bad"), "danger"),
    (gettext_noop("Wrong facts"), "danger"),
    (gettext_noop("Refused wrongly"), "warning"),
    (gettext_noop("Unsafe"), "danger"),
    (gettext_noop("Off topic"), "info"),
]
VIEW = ("staff", "review", "view_review", "Can view review")
CHANGE = ("staff", "review", "change_review", "Can change review")
RIGHTS = {"Support": [VIEW], "Curators": [VIEW, CHANGE]}


def create_labels(apps: Any, schema_editor: Any) -> None:
    labels = apps.get_model("staff", "Label")
    for position, (name, tone) in enumerate(LABELS, start=1):
        labels.objects.create(name=name, tone=tone, position=10 * position)


def add_rights(apps: Any, schema_editor: Any) -> None:
    """Add the rights of reviews to the groups that exist."""
    get_permission = import_module("staff.migrations.0003_groups").get_permission
    for name, rights in RIGHTS.items():
        for group in apps.get_model("auth", "Group").objects.filter(name=name):
            group.permissions.add(*(get_permission(apps, *right) for right in rights))


class Migration(migrations.Migration):
    """Create the labels of verdicts, and let Support see reviews and Curators review."""

    dependencies = [("staff", "0005_review")]

    operations = [
        migrations.RunPython(create_labels, migrations.RunPython.noop),
        migrations.RunPython(add_rights, migrations.RunPython.noop),
    ]
