from django.db import migrations

# As `createcachetable` makes it.
CREATE = """
CREATE TABLE cache (cache_key varchar(255) PRIMARY KEY, value text NOT NULL, expires timestamptz NOT NULL);
CREATE INDEX cache_expires ON cache (expires);
"""


class Migration(migrations.Migration):
    """The table of Django's database cache, in which limits are kept."""

    dependencies = [
        ("accounts", "0004_act_as"),
    ]

    operations = [
        migrations.RunSQL(CREATE, "DROP TABLE cache"),
    ]
