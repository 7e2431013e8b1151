from django.db import migrations

BY_ID = "UPDATE django_admin_log SET object_repr = left(coalesce(object_id, ''), 200)"


class Migration(migrations.Migration):
    """Replaces the text of old entries of the admin's log, which can be an e-mail address or a name, by the id of their
    row, as new entries have it (staff.big_tables.record)."""

    dependencies = [
        ("accounts", "0008_no_language_chosen"),
        ("admin", "0003_logentry_add_action_flag_choices"),
    ]

    operations = [
        migrations.RunSQL(BY_ID, migrations.RunSQL.noop),
    ]
