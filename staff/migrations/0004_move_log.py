from django.db import migrations

UUID = "^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$"
# An id that sorts by the time of the entry: UUIDv7, with 48 bits of milliseconds and 74 random bits.
ID = """(lpad(to_hex(floor(extract(epoch FROM action_time) * 1000)::bigint), 12, '0') || '7'
    || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid"""
MOVE = f"""
WITH entry AS (DELETE FROM django_admin_log RETURNING *),
named AS (
    SELECT entry.*, coalesce(app_label || '.' || model, '') AS type,
        CASE WHEN object_id ~ '{UUID}' THEN object_id::uuid END AS object_uuid
    FROM entry LEFT JOIN django_content_type ON django_content_type.id = content_type_id
)
INSERT INTO audit_event (id, at, actor, action, object_type, object_id, owner, details, reason)
SELECT {ID}, action_time, entry.user_id,
    CASE WHEN change_message LIKE 'Read the transcript%%' THEN 'read_transcript'
        WHEN change_message = 'Read the message.' THEN 'read_message'
        WHEN change_message = 'Moved to the trash.' THEN 'trash'
        WHEN change_message = 'Restored.' THEN 'restore'
        WHEN change_message = 'Erasure requested.' THEN 'erase'
        WHEN action_flag = 1 THEN 'add'
        WHEN action_flag = 3 THEN 'delete'
        ELSE 'change' END,
    type, left(coalesce(object_id, ''), 255),
    CASE WHEN type = 'accounts.user' THEN object_uuid ELSE coalesce(conversation.user_id, message.user_id) END,
    jsonb_strip_nulls(jsonb_build_object('log', left(change_message, 500), 'conversation', message.conversation_id)), ''
FROM named entry
LEFT JOIN conversation ON type = 'conversations.conversation' AND conversation.id = object_uuid
LEFT JOIN message ON type = 'conversations.message' AND message.id = object_uuid
"""


class Migration(migrations.Migration):
    """Move the entries of Django's log to the audit. Django's log is not used any more (docs/decisions/0025)."""

    dependencies = [
        ("staff", "0003_groups"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("accounts", "0011_erase_permission"),
        ("conversations", "0007_model_options"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunSQL(MOVE, migrations.RunSQL.noop)]
