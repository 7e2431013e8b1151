import django.db.models.functions.datetime
from django.db import migrations, models

import chatstore.ids

REFUSE = """
CREATE FUNCTION erasure_receipt_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.ended_at IS NULL THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a receipt of an erasure is final' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER erasure_receipt_final BEFORE UPDATE OR DELETE ON erasure_receipt
    FOR EACH ROW EXECUTE FUNCTION erasure_receipt_refuse()
"""
DROP = "DROP TRIGGER erasure_receipt_final ON erasure_receipt; DROP FUNCTION erasure_receipt_refuse"


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0012_hold"),
    ]

    operations = [
        migrations.CreateModel(
            name="ErasureReceipt",
            fields=[
                (
                    "id",
                    models.UUIDField(default=chatstore.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("user_id", models.UUIDField(verbose_name="user")),
                (
                    "conversation_id",
                    models.UUIDField(
                        help_text="The deleted conversation. Empty for the erasure of a user.",
                        null=True,
                        verbose_name="conversation",
                    ),
                ),
                (
                    "asked_by",
                    models.UUIDField(
                        help_text="The user or a member of staff. Empty if it is not known.",
                        null=True,
                        verbose_name="asked by",
                    ),
                ),
                (
                    "manager_id",
                    models.UUIDField(
                        help_text="The erased user who managed this one.", null=True, verbose_name="managed by"
                    ),
                ),
                (
                    "begun_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="begun"),
                ),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended")),
                ("conversations", models.IntegerField(default=0, verbose_name="conversations")),
                ("messages", models.BigIntegerField(default=0, verbose_name="messages")),
                ("tokens", models.IntegerField(default=0, verbose_name="API tokens")),
                ("sessions", models.IntegerField(default=0, verbose_name="sessions")),
                ("managed_users", models.IntegerField(default=0, verbose_name="managed users")),
            ],
            options={
                "verbose_name": "receipt of an erasure",
                "verbose_name_plural": "receipts of erasures",
                "db_table": "erasure_receipt",
                "default_permissions": ("view",),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=("user_id", "conversation_id"),
                        name="erasure_receipt_open",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.RunSQL(REFUSE, DROP),
    ]
