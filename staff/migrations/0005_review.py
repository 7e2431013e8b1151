import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import chatstore.ids

CASCADES = """
    ALTER TABLE {table} ADD CONSTRAINT {table}_conversation
        FOREIGN KEY (conversation_id) REFERENCES conversation (id) ON DELETE CASCADE;
    ALTER TABLE {table} ADD CONSTRAINT {table}_message
        FOREIGN KEY (message_id) REFERENCES message (id) ON DELETE CASCADE"""
FORGET_USER = """ALTER TABLE {table} ADD CONSTRAINT {table}_{column}
        FOREIGN KEY ({column}_id) REFERENCES account (id) ON DELETE SET NULL"""
CONSTRAINTS = [
    CASCADES.format(table="review"),
    CASCADES.format(table="review_note"),
    FORGET_USER.format(table="review", column="assignee"),
    FORGET_USER.format(table="review", column="done_by"),
    FORGET_USER.format(table="review_note", column="author"),
]
# Housekeeping forgets a trashed message: it empties the row, and sets `deleted_at` to this time (`PURGING`).
FORGET = """CREATE FUNCTION review_forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM review WHERE message_id = NEW.id;
    DELETE FROM review_note WHERE message_id = NEW.id;
    RETURN NULL;
END
$$"""
FORGET_WITH_MESSAGE = """CREATE TRIGGER review_forget AFTER UPDATE OF deleted_at ON message FOR EACH ROW
    WHEN (NEW.deleted_at = '1970-01-01T00:00:00Z') EXECUTE FUNCTION review_forget()"""


class Migration(migrations.Migration):
    """The tables of reviews. A review and a note are deleted with their object, and when their message is forgotten.
    They stay when their author is deleted. The database does this, because a purge and an erasure delete with SQL."""

    dependencies = [
        ("conversations", "0015_export_permission"),
        ("staff", "0004_move_log"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Label",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40, unique=True, verbose_name="name")),
                (
                    "tone",
                    models.CharField(
                        choices=[
                            ("ok", "good (green)"),
                            ("info", "neutral (blue)"),
                            ("warning", "doubtful (yellow)"),
                            ("danger", "bad (red)"),
                        ],
                        default="info",
                        max_length=8,
                        verbose_name="color",
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=100, verbose_name="position")),
                (
                    "is_active",
                    models.BooleanField(
                        default=True, help_text="Verdicts that exist stay.", verbose_name="can be chosen"
                    ),
                ),
            ],
            options={
                "verbose_name": "label",
                "verbose_name_plural": "labels",
                "db_table": "review_label",
                "ordering": ("position", "pk"),
            },
        ),
        migrations.CreateModel(
            name="SavedFilter",
            fields=[
                (
                    "id",
                    models.UUIDField(default=chatstore.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=60, unique=True, verbose_name="name")),
                ("query", models.CharField(max_length=1000)),
            ],
            options={
                "db_table": "review_filter",
                "ordering": ("name",),
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Note",
            fields=[
                (
                    "id",
                    models.UUIDField(default=chatstore.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("text", models.CharField(max_length=2000)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "author",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "conversation",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="notes",
                        to="conversations.conversation",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="notes",
                        to="conversations.message",
                    ),
                ),
            ],
            options={
                "db_table": "review_note",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Review",
            fields=[
                (
                    "id",
                    models.UUIDField(default=chatstore.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("done_at", models.DateTimeField(null=True)),
                (
                    "assignee",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "conversation",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="reviews",
                        to="conversations.conversation",
                    ),
                ),
                (
                    "done_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "label",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="staff.label",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="reviews",
                        to="conversations.message",
                    ),
                ),
            ],
            options={
                "db_table": "review",
                "default_permissions": ("view", "change"),
                "indexes": [models.Index(fields=["label", "conversation"], name="review_by_label")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("conversation", "message"), name="review_once", nulls_distinct=False
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("label", None), ("done_at__isnull", False), _connector="OR"),
                        name="review_verdict_is_done",
                    ),
                ],
            },
        ),
        *[migrations.RunSQL(sql, migrations.RunSQL.noop) for sql in CONSTRAINTS],
        migrations.RunSQL(FORGET, "DROP FUNCTION review_forget"),
        migrations.RunSQL(FORGET_WITH_MESSAGE, "DROP TRIGGER review_forget ON message"),
    ]
