from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_no_model_chosen"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="erasing_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
