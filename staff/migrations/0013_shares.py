from django.db import migrations, models


class Migration(migrations.Migration):
    """Name the actions on shares."""

    dependencies = [
        ("staff", "0012_audit_actions"),
    ]

    operations = [
        migrations.AlterField(
            model_name="auditevent",
            name="action",
            field=models.CharField(
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
                    ("place_hold", "placed a hold"),
                    ("release_hold", "released a hold"),
                    ("verdict", "judged"),
                    ("note", "noted"),
                    ("assign", "assigned"),
                    ("suspend", "suspended"),
                    ("unsuspend", "unsuspended"),
                    ("sign_out", "signed out everywhere"),
                    ("end_shares", "ended the shares"),
                    ("share", "shared"),
                    ("end_share", "ended a share"),
                    ("reason", "gave a reason"),
                    ("refused", "was refused"),
                    ("start_job", "started a job"),
                    ("cancel_job", "cancelled a job"),
                ],
                max_length=16,
                verbose_name="action",
            ),
        ),
    ]
