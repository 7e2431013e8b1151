from typing import Any

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import chatstore.ids

GROUPS = ("Curators", "Privacy")


def allow_groups(apps: Any, schema_editor: Any) -> None:
    """Let the groups that can start jobs see their jobs. Django creates the permission only after all migrations."""
    types, permissions = apps.get_model("contenttypes", "ContentType"), apps.get_model("auth", "Permission")
    content_type, _ = types.objects.get_or_create(app_label="staff", model="job")
    names = {"name": "Can view job"}
    permission, _ = permissions.objects.get_or_create(content_type=content_type, codename="view_job", defaults=names)
    for group in apps.get_model("auth", "Group").objects.filter(name__in=GROUPS):
        group.permissions.add(permission)


class Migration(migrations.Migration):
    """Create the table of jobs. Curators and Privacy can see their own jobs."""

    dependencies = [
        ("staff", "0007_staff_read"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Job",
            fields=[
                (
                    "id",
                    models.UUIDField(default=chatstore.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("address", models.GenericIPAddressField(null=True)),
                ("language", models.CharField(max_length=32)),
                ("action", models.CharField(max_length=32, verbose_name="action")),
                ("tag", models.CharField(blank=True, max_length=100)),
                ("query", models.TextField(blank=True)),
                (
                    "users",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), blank=True, default=list, size=None
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("running", "running"),
                            ("done", "done"),
                            ("failed", "failed"),
                            ("cancelled", "cancelled"),
                        ],
                        default="waiting",
                        max_length=16,
                        verbose_name="state",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="created"),
                ),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("due_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("runner", models.UUIDField(null=True)),
                ("cursor", models.UUIDField(null=True)),
                ("begun", models.UUIDField(null=True)),
                ("users_done", models.PositiveIntegerField(default=0)),
                ("total", models.PositiveIntegerField(null=True)),
                ("done", models.PositiveIntegerField(default=0)),
                ("failed", models.PositiveIntegerField(default=0)),
                ("errors", models.JSONField(default=list)),
                ("error", models.TextField(blank=True)),
                (
                    "actor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="staff member",
                    ),
                ),
            ],
            options={
                "verbose_name": "job",
                "verbose_name_plural": "jobs",
                "db_table": "staff_job",
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["actor", "id"], name="staff_job_actor"),
                    models.Index(
                        condition=models.Q(("state__in", ["waiting", "running"])),
                        fields=["due_at"],
                        name="staff_job_due",
                    ),
                    models.Index(fields=["finished_at"], name="staff_job_finished"),
                ],
            },
        ),
        migrations.RunPython(allow_groups, migrations.RunPython.noop),
    ]
