import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import accounts.models


class Migration(migrations.Migration):
    """Name the models and fields for the admin. It changes no table."""

    dependencies = [
        ("accounts", "0012_session_ends"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="apitoken",
            options={"verbose_name": "API token", "verbose_name_plural": "API tokens"},
        ),
        migrations.AlterModelOptions(
            name="preferences",
            options={"verbose_name": "preferences", "verbose_name_plural": "preferences"},
        ),
        migrations.AlterModelOptions(
            name="user",
            options={
                "permissions": [
                    ("erase_user", "Can erase users"),
                    ("suspend_user", "Can suspend users, and sign them out"),
                    ("export_user", "Can export the data of users"),
                    ("view_details", "Can view preferences, sign-in methods, sessions and tokens of users"),
                ],
                "verbose_name": "user",
                "verbose_name_plural": "users",
            },
        ),
        migrations.AlterField(
            model_name="apitoken",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="created at"),
        ),
        migrations.AlterField(
            model_name="apitoken",
            name="expires_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="expires at"),
        ),
        migrations.AlterField(
            model_name="apitoken",
            name="last_used_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="last used at"),
        ),
        migrations.AlterField(
            model_name="apitoken",
            name="name",
            field=models.CharField(max_length=100, verbose_name="name"),
        ),
        migrations.AlterField(
            model_name="apitoken",
            name="scopes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[("read", "Read"), ("write", "Write"), ("act_as", "Act as its users")], max_length=16
                ),
                default=accounts.models.read_and_write,
                size=None,
                verbose_name="scopes",
            ),
        ),
        migrations.AlterField(
            model_name="apitoken",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="tokens",
                to=settings.AUTH_USER_MODEL,
                verbose_name="user",
            ),
        ),
        migrations.AlterField(
            model_name="preferences",
            name="active_conversation",
            field=models.CharField(blank=True, default="", max_length=255, verbose_name="active conversation"),
        ),
        migrations.AlterField(
            model_name="preferences",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="created at"),
        ),
        migrations.AlterField(
            model_name="preferences",
            name="default_model",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Empty until the user chooses one.",
                max_length=255,
                verbose_name="default model",
            ),
        ),
        migrations.AlterField(
            model_name="preferences",
            name="extra",
            field=models.JSONField(blank=True, default=dict, verbose_name="extra"),
        ),
        migrations.AlterField(
            model_name="preferences",
            name="language",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Empty until the user chooses one.",
                max_length=32,
                verbose_name="language",
            ),
        ),
        migrations.AlterField(
            model_name="preferences",
            name="theme",
            field=models.CharField(default="dark", max_length=32, verbose_name="theme"),
        ),
        migrations.AlterField(
            model_name="preferences",
            name="updated_at",
            field=models.DateTimeField(auto_now=True, verbose_name="updated at"),
        ),
        migrations.AlterField(
            model_name="preferences",
            name="user",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                primary_key=True,
                related_name="preferences",
                serialize=False,
                to=settings.AUTH_USER_MODEL,
                verbose_name="user",
            ),
        ),
        migrations.AlterField(
            model_name="user",
            name="created_at",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name="created at"
            ),
        ),
        migrations.AlterField(
            model_name="user",
            name="external_id",
            field=models.CharField(blank=True, max_length=255, null=True, verbose_name="external id"),
        ),
        migrations.AlterField(
            model_name="user",
            name="image",
            field=models.URLField(blank=True, max_length=2000, verbose_name="image"),
        ),
        migrations.AlterField(
            model_name="user",
            name="managed_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="managed_users",
                to=settings.AUTH_USER_MODEL,
                verbose_name="managed by",
            ),
        ),
        migrations.AlterField(
            model_name="user",
            name="name",
            field=models.CharField(blank=True, max_length=255, verbose_name="name"),
        ),
        migrations.AlterField(
            model_name="user",
            name="updated_at",
            field=models.DateTimeField(auto_now=True, verbose_name="updated at"),
        ),
    ]
