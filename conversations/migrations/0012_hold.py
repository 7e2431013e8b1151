"""Legal holds, and the triggers that refuse to delete what a hold covers.

Race: a hold is placed while a deletion runs. Both take an advisory lock of the user: deletions share it, and a new hold
takes it alone. So a new hold waits for the deletions that did not see it, and a deletion that waited for a hold sees
it. Both lock the rows first and then the user, so there is no deadlock.
"""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import chatstore.ids

CASCADES = """
ALTER TABLE hold ADD CONSTRAINT hold_user_fk FOREIGN KEY (user_id) REFERENCES account (id) ON DELETE CASCADE;
ALTER TABLE hold ADD CONSTRAINT hold_owner_fk
    FOREIGN KEY (conversation_id, user_id) REFERENCES conversation (id, user_id) ON DELETE CASCADE
"""
# PostgreSQL runs the triggers of a row in the order of their names. The checks of foreign keys (RI_…) lock the rows
# before `hold_placed` locks the user.
PLACED = """
CREATE FUNCTION wait_for_deletions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('chatstore hold ' || NEW.user_id, 0));
    RETURN NULL;
END $$;
CREATE TRIGGER hold_placed AFTER INSERT ON hold FOR EACH ROW EXECUTE FUNCTION wait_for_deletions()
"""
# Without a conversation, the deletion is that of the user, and every hold refuses it.
REFUSE = """
CREATE FUNCTION refuse_if_held(owner uuid, deleted_conversation uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('chatstore hold ' || owner, 0));
    IF EXISTS (SELECT FROM hold WHERE user_id = owner AND released_at IS NULL
            AND (conversation_id IS NULL OR conversation_id = deleted_conversation OR deleted_conversation IS NULL))
    THEN
        RAISE EXCEPTION 'user % or conversation % is on hold', owner, deleted_conversation USING ERRCODE = 'HOLD1';
    END IF;
END $$
"""
# An erasure first sets `erasing_at`. The trigger runs before the row changes, because the foreign key would delete
# the hold together with the row.
USERS = """
CREATE FUNCTION keep_held_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_if_held(OLD.id, NULL);
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER account_held BEFORE DELETE ON account FOR EACH ROW EXECUTE FUNCTION keep_held_user();
CREATE TRIGGER account_erasure_held BEFORE UPDATE OF erasing_at ON account FOR EACH ROW
    WHEN (NEW.erasing_at IS NOT NULL) EXECUTE FUNCTION keep_held_user()
"""
# A purge first sets `deleted_at` to 1970 (PURGING).
CONVERSATIONS = """
CREATE FUNCTION keep_held_conversation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_if_held(OLD.user_id, OLD.id);
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER conversation_held BEFORE DELETE ON conversation
    FOR EACH ROW EXECUTE FUNCTION keep_held_conversation();
CREATE TRIGGER conversation_purge_held BEFORE UPDATE OF deleted_at ON conversation FOR EACH ROW
    WHEN (NEW.deleted_at = '1970-01-01T00:00:00Z') EXECUTE FUNCTION keep_held_conversation()
"""
# A message that is forgotten gets the same `deleted_at`. A purge deletes many messages of one conversation with one
# statement, so one check for each conversation is enough.
MESSAGES = """
CREATE FUNCTION keep_held_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_if_held(user_id, conversation_id) FROM (SELECT DISTINCT user_id, conversation_id FROM gone) AS each;
    RETURN NULL;
END $$;
CREATE TRIGGER message_held AFTER DELETE ON message REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION keep_held_messages();

CREATE FUNCTION keep_held_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_if_held(OLD.user_id, OLD.conversation_id);
    RETURN NEW;
END $$;
CREATE TRIGGER message_forgetting_held BEFORE UPDATE OF deleted_at ON message FOR EACH ROW
    WHEN (NEW.deleted_at = '1970-01-01T00:00:00Z') EXECUTE FUNCTION keep_held_message()
"""
DROP_PLACED = "DROP TRIGGER hold_placed ON hold; DROP FUNCTION wait_for_deletions"
DROP_USERS = """
DROP TRIGGER account_held ON account;
DROP TRIGGER account_erasure_held ON account;
DROP FUNCTION keep_held_user
"""
DROP_CONVERSATIONS = """
DROP TRIGGER conversation_held ON conversation;
DROP TRIGGER conversation_purge_held ON conversation;
DROP FUNCTION keep_held_conversation
"""
DROP_MESSAGES = """
DROP TRIGGER message_held ON message;
DROP TRIGGER message_forgetting_held ON message;
DROP FUNCTION keep_held_messages;
DROP FUNCTION keep_held_message
"""


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0011_filters_of_staff"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Hold",
            fields=[
                (
                    "id",
                    models.UUIDField(default=chatstore.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                ("placed_by", models.UUIDField()),
                ("placed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("released_by", models.UUIDField(null=True)),
                ("released_at", models.DateTimeField(null=True)),
                ("release_reason", models.CharField(blank=True, default="", max_length=500)),
                (
                    "conversation",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="holds",
                        to="conversations.conversation",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="holds",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "legal hold",
                "verbose_name_plural": "legal holds",
                "db_table": "hold",
                "permissions": [("place_hold", "Can place and release legal holds")],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("released_at__isnull", True)),
                        fields=["user", "conversation"],
                        name="hold_in_force",
                    ),
                    models.Index(fields=["user", "placed_at"], name="hold_user"),
                    models.Index(
                        condition=models.Q(("conversation__isnull", False)),
                        fields=["conversation"],
                        name="hold_conversation",
                    ),
                ],
            },
        ),
        migrations.RunSQL(CASCADES, migrations.RunSQL.noop),
        migrations.RunSQL(PLACED, DROP_PLACED),
        migrations.RunSQL(REFUSE, "DROP FUNCTION refuse_if_held"),
        migrations.RunSQL(USERS, DROP_USERS),
        migrations.RunSQL(CONVERSATIONS, DROP_CONVERSATIONS),
        migrations.RunSQL(MESSAGES, DROP_MESSAGES),
    ]
