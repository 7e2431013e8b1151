import chatstore.ids
import django.core.serializers.json
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                (
                    "id",
                    models.UUIDField(default=chatstore.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="time")),
                ("actor", models.UUIDField(verbose_name="staff member")),
                (
                    "action",
                    models.CharField(
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
                            ("reason", "gave a reason"),
                            ("refused", "was refused"),
                        ],
                        max_length=16,
                        verbose_name="action",
                    ),
                ),
                ("object_type", models.CharField(blank=True, max_length=100)),
                ("object_id", models.CharField(blank=True, max_length=255, verbose_name="object")),
                ("owner", models.UUIDField(null=True, verbose_name="owner of the data")),
                (
                    "details",
                    models.JSONField(
                        default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder, verbose_name="details"
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                ("address", models.GenericIPAddressField(null=True, verbose_name="IP address")),
            ],
            options={
                "verbose_name": "audit event",
                "verbose_name_plural": "audit events",
                "db_table": "audit_event",
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["actor", "id"], name="audit_event_actor"),
                    models.Index(fields=["action", "id"], name="audit_event_action"),
                    models.Index(fields=["object_id", "id"], name="audit_event_object"),
                    models.Index(fields=["owner", "id"], name="audit_event_owner"),
                    models.Index(
                        condition=models.Q(("action", "reason")),
                        fields=["actor", "owner", "id"],
                        name="audit_event_reason",
                    ),
                ],
            },
        ),
    ]
