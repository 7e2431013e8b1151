from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_cache"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="erasing_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
