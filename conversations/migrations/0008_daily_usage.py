"""The counts for each day, and the triggers that keep them.

Most triggers run once for each statement, which keeps bulk writes cheap. The triggers for updates of messages and
conversations run for each row, but nearly all updates change no count and do not start them.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# Writers wait until the migration ends. They lock the tables in this order, so there is no deadlock.
LOCK = "LOCK TABLE conversation, message, reaction IN SHARE ROW EXCLUSIVE MODE"
COUNTS = "conversations, messages, prompt_tokens, completion_tokens, failed, dislikes"
# `changed` has the rows that a statement inserted or deleted. The argument of the trigger is 1 or -1.
MESSAGES = f"""
CREATE FUNCTION count_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO daily_usage_change (day, user_id, model, {COUNTS})
    SELECT (created_at AT TIME ZONE 'UTC')::date, user_id, model, 0, TG_ARGV[0]::int * count(*),
        TG_ARGV[0]::int * coalesce(sum(prompt_tokens), 0), TG_ARGV[0]::int * coalesce(sum(completion_tokens), 0),
        TG_ARGV[0]::int * count(*) FILTER (WHERE status = 'failed'), 0
    FROM changed GROUP BY 1, 2, 3;
    RETURN NULL;
END $$;
CREATE TRIGGER message_inserted AFTER INSERT ON message REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION count_messages('1');
CREATE TRIGGER message_deleted AFTER DELETE ON message REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION count_messages('-1');

CREATE FUNCTION count_changed_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO daily_usage_change (day, user_id, model, {COUNTS})
    SELECT (created_at AT TIME ZONE 'UTC')::date, user_id, model, 0, sum(sign),
        sum(sign * coalesce(prompt_tokens, 0)), sum(sign * coalesce(completion_tokens, 0)),
        coalesce(sum(sign) FILTER (WHERE status = 'failed'), 0), 0
    FROM (VALUES
        (-1, OLD.created_at, OLD.user_id, OLD.model, OLD.prompt_tokens, OLD.completion_tokens, OLD.status),
        (1, NEW.created_at, NEW.user_id, NEW.model, NEW.prompt_tokens, NEW.completion_tokens, NEW.status)
    ) AS version (sign, created_at, user_id, model, prompt_tokens, completion_tokens, status) GROUP BY 1, 2, 3;
    RETURN NULL;
END $$;
CREATE TRIGGER message_changed AFTER UPDATE ON message FOR EACH ROW
    WHEN ((OLD.created_at, OLD.user_id, OLD.model, OLD.prompt_tokens, OLD.completion_tokens, OLD.status = 'failed')
        IS DISTINCT FROM
        (NEW.created_at, NEW.user_id, NEW.model, NEW.prompt_tokens, NEW.completion_tokens, NEW.status = 'failed'))
    EXECUTE FUNCTION count_changed_message()
"""
CONVERSATIONS = f"""
CREATE FUNCTION count_conversations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO daily_usage_change (day, user_id, model, {COUNTS})
    SELECT (created_at AT TIME ZONE 'UTC')::date, user_id, '', TG_ARGV[0]::int * count(*), 0, 0, 0, 0, 0
    FROM changed GROUP BY 1, 2;
    RETURN NULL;
END $$;
CREATE TRIGGER conversation_inserted AFTER INSERT ON conversation REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION count_conversations('1');
CREATE TRIGGER conversation_deleted AFTER DELETE ON conversation REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION count_conversations('-1');

CREATE FUNCTION count_changed_conversation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO daily_usage_change (day, user_id, model, {COUNTS})
    VALUES ((OLD.created_at AT TIME ZONE 'UTC')::date, OLD.user_id, '', -1, 0, 0, 0, 0, 0),
        ((NEW.created_at AT TIME ZONE 'UTC')::date, NEW.user_id, '', 1, 0, 0, 0, 0, 0);
    RETURN NULL;
END $$;
CREATE TRIGGER conversation_changed AFTER UPDATE OF created_at, user_id ON conversation
    FOR EACH ROW EXECUTE FUNCTION count_changed_conversation()
"""
REACTIONS = f"""
CREATE FUNCTION count_dislikes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO daily_usage_change (day, user_id, model, {COUNTS})
    SELECT (created_at AT TIME ZONE 'UTC')::date, user_id, '', 0, 0, 0, 0, 0, TG_ARGV[0]::int * count(*)
    FROM changed WHERE type IN ('thumbs_down', 'dislike', '\N{THUMBS DOWN SIGN}') GROUP BY 1, 2;
    RETURN NULL;
END $$;
CREATE TRIGGER reaction_inserted AFTER INSERT ON reaction REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION count_dislikes('1');
CREATE TRIGGER reaction_deleted AFTER DELETE ON reaction REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION count_dislikes('-1');
-- An update counts as a deletion and an insert.
CREATE TRIGGER reaction_changed_from AFTER UPDATE ON reaction REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION count_dislikes('-1');
CREATE TRIGGER reaction_changed_to AFTER UPDATE ON reaction REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION count_dislikes('1')
"""
# CREATE TRIGGER locks the tables against other writes until the migration ends, so each row is counted once.
STORED = f"""
INSERT INTO daily_usage (day, user_id, model, {COUNTS})
SELECT day, user_id, model, sum(conversations), sum(messages), sum(prompt_tokens), sum(completion_tokens), sum(failed),
    sum(dislikes)
FROM (
    SELECT (created_at AT TIME ZONE 'UTC')::date AS day, user_id, model, 0 AS conversations, count(*) AS messages,
        coalesce(sum(prompt_tokens), 0) AS prompt_tokens, coalesce(sum(completion_tokens), 0) AS completion_tokens,
        count(*) FILTER (WHERE status = 'failed') AS failed, 0 AS dislikes FROM message GROUP BY 1, 2, 3
    UNION ALL
    SELECT (created_at AT TIME ZONE 'UTC')::date, user_id, '', count(*), 0, 0, 0, 0, 0 FROM conversation GROUP BY 1, 2
    UNION ALL
    SELECT (created_at AT TIME ZONE 'UTC')::date, user_id, '', 0, 0, 0, 0, 0, count(*) FROM reaction
    WHERE type IN ('thumbs_down', 'dislike', '\N{THUMBS DOWN SIGN}') GROUP BY 1, 2
) AS counted GROUP BY 1, 2, 3
"""
DROP_MESSAGES = """
DROP TRIGGER message_inserted ON message;
DROP TRIGGER message_deleted ON message;
DROP TRIGGER message_changed ON message;
DROP FUNCTION count_messages;
DROP FUNCTION count_changed_message
"""
DROP_CONVERSATIONS = """
DROP TRIGGER conversation_inserted ON conversation;
DROP TRIGGER conversation_deleted ON conversation;
DROP TRIGGER conversation_changed ON conversation;
DROP FUNCTION count_conversations;
DROP FUNCTION count_changed_conversation
"""
DROP_REACTIONS = """
DROP TRIGGER reaction_inserted ON reaction;
DROP TRIGGER reaction_deleted ON reaction;
DROP TRIGGER reaction_changed_from ON reaction;
DROP TRIGGER reaction_changed_to ON reaction;
DROP FUNCTION count_dislikes
"""


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0007_model_options"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DailyUsageChange",
            fields=[
                ("day", models.DateField()),
                (
                    "model",
                    models.CharField(
                        help_text="Empty for conversations, and for messages without a model.", max_length=255
                    ),
                ),
                ("conversations", models.BigIntegerField()),
                ("messages", models.BigIntegerField()),
                ("prompt_tokens", models.BigIntegerField()),
                ("completion_tokens", models.BigIntegerField()),
                ("failed", models.BigIntegerField(help_text="Messages whose status is `failed`.")),
                ("dislikes", models.BigIntegerField(help_text="Reactions that say that an answer is bad.")),
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "daily_usage_change",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="DailyUsage",
            fields=[
                ("day", models.DateField()),
                (
                    "model",
                    models.CharField(
                        help_text="Empty for conversations, and for messages without a model.", max_length=255
                    ),
                ),
                ("conversations", models.BigIntegerField()),
                ("messages", models.BigIntegerField()),
                ("prompt_tokens", models.BigIntegerField()),
                ("completion_tokens", models.BigIntegerField()),
                ("failed", models.BigIntegerField(help_text="Messages whose status is `failed`.")),
                ("dislikes", models.BigIntegerField(help_text="Reactions that say that an answer is bad.")),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day", "user_id", "model", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "daily_usage",
                "default_permissions": ("view",),
                "indexes": [models.Index(fields=["user", "day"], name="daily_usage_user")],
            },
        ),
        migrations.RunSQL(LOCK, migrations.RunSQL.noop),
        migrations.RunSQL(MESSAGES, DROP_MESSAGES),
        migrations.RunSQL(CONVERSATIONS, DROP_CONVERSATIONS),
        migrations.RunSQL(REACTIONS, DROP_REACTIONS),
        migrations.RunSQL(STORED, migrations.RunSQL.noop),
    ]
