from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_user_erasing"),
    ]

    operations = [
        migrations.AlterField(
            model_name="preferences",
            name="language",
            field=models.CharField(blank=True, default="", help_text="Empty until one is chosen.", max_length=32),
        ),
    ]
