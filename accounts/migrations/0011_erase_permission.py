from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_plain_words"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="user",
            options={"permissions": [("erase_user", "Can erase users")]},
        ),
    ]
