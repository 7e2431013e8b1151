from django.db import migrations

# The same table as the command `createcachetable` creates.
CREATE = """
CREATE TABLE cache (cache_key varchar(255) PRIMARY KEY, value text NOT NULL, expires timestamptz NOT NULL);
CREATE INDEX cache_expires ON cache (expires);
"""


class Migration(migrations.Migration):
    """Create the table of Django's database cache. The rate limits keep their counters in it."""

    dependencies = [
        ("accounts", "0004_act_as"),
    ]

    operations = [
        migrations.RunSQL(CREATE, "DROP TABLE cache"),
    ]
