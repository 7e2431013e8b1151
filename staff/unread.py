"""Records which conversations staff have read. All members of the staff share this record.

A conversation is read if a member of the staff has seen a page of its transcript with the newest message that the user
sees. The audit says who read it.
"""

from django.db import connection
from django.db.models import F, Q
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from conversations.models import Conversation

NEVER_READ = Q(tip_seq__isnull=False, staff_read__isnull=True)
NEW_MESSAGES = Q(staff_read__seq__lt=F("tip_seq"))
READ = Q(staff_read__seq__gte=F("tip_seq"))
# FOR KEY SHARE waits for a purge that deletes the conversation, and then finds no row. Without it, the foreign key
# would fail. It does not wait for a writer of messages.
RECORD = """
    INSERT INTO staff_read (conversation_id, seq)
    SELECT id, %(seq)s FROM conversation WHERE id = %(conversation)s FOR KEY SHARE
    ON CONFLICT (conversation_id) DO UPDATE SET seq = excluded.seq WHERE staff_read.seq < excluded.seq"""


def record_read(conversation: Conversation, seq: int) -> None:
    """Record that a member of the staff has read the conversation up to this message.

    Executes one statement, or none if the conversation, as it was read from the database, says so already."""
    if seq > read_up_to(conversation):
        with connection.cursor() as cursor:
            cursor.execute(RECORD, {"conversation": conversation.pk, "seq": seq})


def read_up_to(conversation: Conversation) -> int:
    """Return the `seq` of the furthest message that staff have read, or 0."""
    read = getattr(conversation, "staff_read", None)
    return read.seq if read else 0


def unread_mark(conversation: Conversation) -> SafeString:
    """Return a dot if the conversation has messages that staff have not read. A screen reader reads its text."""
    read = read_up_to(conversation)
    if read >= (conversation.tip_seq or 0):
        return SafeString()
    kind, text = ("new", gettext("New messages")) if read else ("", gettext("Unread"))
    return format_html(
        '<span class="unread {}" title="{}"><span class="visually-hidden">{}: </span></span>', kind, text, text
    )
