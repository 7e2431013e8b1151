from django.db import migrations, models


class Migration(migrations.Migration):
    """Add the number of times that all sessions of a user were ended, and the permissions of the page of a user."""

    dependencies = [
        ("accounts", "0011_erase_permission"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="session_ends",
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AlterModelOptions(
            name="user",
            options={
                "permissions": [
                    ("erase_user", "Can erase users"),
                    ("suspend_user", "Can suspend users, and sign them out"),
                    ("export_user", "Can export the data of users"),
                    ("view_details", "Can view preferences, sign-in methods, sessions and tokens of users"),
                ]
            },
        ),
    ]
