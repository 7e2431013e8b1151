from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_log_by_id"),
    ]

    operations = [
        migrations.AlterField(
            model_name="preferences",
            name="default_model",
            field=models.CharField(
                blank=True, default="", help_text="Empty until the user chooses one.", max_length=255
            ),
        ),
        migrations.AlterField(
            model_name="preferences",
            name="language",
            field=models.CharField(
                blank=True, default="", help_text="Empty until the user chooses one.", max_length=32
            ),
        ),
        migrations.AlterField(
            model_name="user",
            name="email",
            field=models.EmailField(
                blank=True,
                help_text="Empty for users whom a back end manages.",
                max_length=254,
                null=True,
                verbose_name="e-mail",
            ),
        ),
    ]
