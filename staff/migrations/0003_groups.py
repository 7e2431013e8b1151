from typing import Any

from django.db import migrations

# Each permission: the app, the model, the codename and the name that Django gives it.
VIEW = [
    ("conversations", "conversation", "view_conversation", "Can view conversation"),
    ("conversations", "message", "view_message", "Can view message"),
    ("conversations", "reaction", "view_reaction", "Can view reaction"),
    ("conversations", "dailyusage", "view_dailyusage", "Can view daily usage"),
    ("accounts", "user", "view_user", "Can view user"),
]
CURATE = [
    ("conversations", "conversation", "change_conversation", "Can change conversation"),
    ("conversations", "conversation", "delete_conversation", "Can delete conversation"),
]
PRIVACY = [
    ("conversations", "dailyusage", "view_dailyusage", "Can view daily usage"),
    ("accounts", "user", "view_user", "Can view user"),
    ("accounts", "user", "erase_user", "Can erase users"),
    ("staff", "auditevent", "view_auditevent", "Can view audit event"),
]
GROUPS = {"Support": VIEW, "Curators": [*VIEW, *CURATE], "Privacy": PRIVACY}


def create_groups(apps: Any, schema_editor: Any) -> None:
    """Create the groups that do not exist. Leave an existing group with one of these names as it is, because new
    permissions would give its members rights that nobody decided to give them."""
    for name, permissions in GROUPS.items():
        group, is_new = apps.get_model("auth", "Group").objects.get_or_create(name=name)
        if is_new:
            group.permissions.set([get_permission(apps, *permission) for permission in permissions])


def get_permission(apps: Any, app_label: str, model: str, codename: str, name: str) -> Any:
    """Return a permission. Create it if it is missing, because Django creates permissions only after all migrations."""
    types, permissions = apps.get_model("contenttypes", "ContentType"), apps.get_model("auth", "Permission")
    content_type, _ = types.objects.get_or_create(app_label=app_label, model=model)
    return permissions.objects.get_or_create(content_type=content_type, codename=codename, defaults={"name": name})[0]


class Migration(migrations.Migration):
    """Create the groups Support, Curators and Privacy. The migration runs only once, so the changes that an operator
    makes later stay."""

    dependencies = [
        ("staff", "0002_append_only"),
        ("accounts", "0011_erase_permission"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(create_groups, migrations.RunPython.noop)]
