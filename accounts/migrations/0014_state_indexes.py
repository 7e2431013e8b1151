from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Index the few users who are suspended or staff, for the filter of the list in the admin."""

    atomic = False  # CREATE INDEX CONCURRENTLY runs in no transaction

    dependencies = [
        ("accounts", "0013_names"),
    ]

    operations = [
        AddIndexConcurrently("user", models.Index("id", condition=models.Q(is_active=False), name="user_suspended")),
        AddIndexConcurrently("user", models.Index("id", condition=models.Q(is_staff=True), name="user_staff")),
    ]
