import chatstore.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


CASCADES = """
    ALTER TABLE reply ADD CONSTRAINT reply_message
        FOREIGN KEY (message_id) REFERENCES message (id) ON DELETE CASCADE;
    ALTER TABLE reply ADD CONSTRAINT reply_owner
        FOREIGN KEY (user_id) REFERENCES account (id) ON DELETE CASCADE;
    ALTER TABLE reply_event ADD CONSTRAINT reply_event_reply
        FOREIGN KEY (reply_id) REFERENCES reply (id) ON DELETE CASCADE"""
DROPS = """
    ALTER TABLE reply_event DROP CONSTRAINT reply_event_reply;
    ALTER TABLE reply DROP CONSTRAINT reply_owner, DROP CONSTRAINT reply_message"""


class Migration(migrations.Migration):
    """The tables of replies. Their foreign keys delete with the row that they refer to, which Django cannot declare."""

    initial = True

    dependencies = [
        ('conversations', '0006_conversation_by_activity'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Worker',
            fields=[
                ('id', models.UUIDField(default=chatstore.ids.new_id, primary_key=True, serialize=False)),
                ('seen_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'reply_worker',
            },
        ),
        migrations.CreateModel(
            name='Reply',
            fields=[
                ('id', models.UUIDField(default=chatstore.ids.new_id, primary_key=True, serialize=False)),
                ('state', models.CharField(choices=[('queued', 'Queued'), ('running', 'Running'), ('completed', 'Completed'), ('incomplete', 'Incomplete'), ('failed', 'Failed'), ('stopped', 'Stopped')], default='queued', max_length=10)),
                ('worker', models.UUIDField(help_text='The process that generates the reply.', null=True)),
                ('attempts', models.SmallIntegerField(default=0, help_text='How often a process has begun the reply.')),
                ('stop_asked', models.BooleanField(default=False)),
                ('request', models.JSONField(help_text='The model, its options, and the id of the question or the messages.')),
                ('tokens', models.IntegerField(default=0, help_text='Prompt and completion tokens, for the limit of a day.')),
                ('created_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('message', models.OneToOneField(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='reply', to='conversations.message')),
                ('user', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'reply',
            },
        ),
        migrations.CreateModel(
            name='Event',
            fields=[
                ('pk', models.CompositePrimaryKey('reply_id', 'n', blank=True, editable=False, primary_key=True, serialize=False)),
                ('n', models.IntegerField()),
                ('event', models.CharField(max_length=16)),
                ('data', models.TextField(help_text='JSON')),
                ('reply', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='replies.reply')),
            ],
            options={
                'db_table': 'reply_event',
            },
        ),
        migrations.AddIndex(
            model_name='reply',
            index=models.Index(condition=models.Q(('state', 'queued')), fields=['created_at'], name='reply_queued'),
        ),
        migrations.AddIndex(
            model_name='reply',
            index=models.Index(condition=models.Q(('state', 'running')), fields=['worker'], name='reply_running'),
        ),
        migrations.AddIndex(
            model_name='reply',
            index=models.Index(fields=['user', 'created_at'], name='reply_user'),
        ),
        migrations.AddIndex(
            model_name='reply',
            index=models.Index(condition=models.Q(('ended_at__isnull', False)), fields=['ended_at'], name='reply_ended'),
        ),
        migrations.RunSQL(CASCADES, DROPS),
    ]
