from django.db import migrations

BY_ID = "UPDATE django_admin_log SET object_repr = left(coalesce(object_id, ''), 200)"


class Migration(migrations.Migration):
    """Replace the text in old entries of the admin's log with the id of the row, because the text can be an e-mail
    address or a name. `staff.audit.record` stores the id in new entries."""

    dependencies = [
        ("accounts", "0008_no_language_chosen"),
        ("admin", "0003_logentry_add_action_flag_choices"),
    ]

    operations = [
        migrations.RunSQL(BY_ID, migrations.RunSQL.noop),
    ]
