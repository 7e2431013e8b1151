from django.db import migrations

BY_ID = "UPDATE django_admin_log SET object_repr = left(coalesce(object_id, ''), 200)"


class Migration(migrations.Migration):
    """Replace the text of old entries of the admin's log, which can be an e-mail address or a name, with the id of the
    row. New entries have the id already (staff.audit.record)."""

    dependencies = [
        ("accounts", "0008_no_language_chosen"),
        ("admin", "0003_logentry_add_action_flag_choices"),
    ]

    operations = [
        migrations.RunSQL(BY_ID, migrations.RunSQL.noop),
    ]
