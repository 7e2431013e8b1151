from django.db import migrations

# One IF is inside the other, because OLD exists only in a trigger for rows. TRUNCATE has a trigger for the statement.
REFUSE = """
CREATE FUNCTION audit_event_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.at < nullif(current_setting('chatstore.audit_delete_before', true), '')::timestamptz THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'audit_event is append-only' USING ERRCODE = 'restrict_violation';
END
$$
"""
ROWS = """CREATE TRIGGER audit_event_rows BEFORE UPDATE OR DELETE ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_event_refuse()"""
TABLE = """CREATE TRIGGER audit_event_table BEFORE TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION audit_event_refuse()"""


class Migration(migrations.Migration):
    """Refuse to change and to delete audit events. A transaction can set chatstore.audit_delete_before to a time, and
    delete the events from before this time. Housekeeping does so (`staff.audit.retention`)."""

    dependencies = [("staff", "0001_initial")]

    operations = [
        migrations.RunSQL(REFUSE, "DROP FUNCTION audit_event_refuse"),
        migrations.RunSQL(ROWS, "DROP TRIGGER audit_event_rows ON audit_event"),
        migrations.RunSQL(TABLE, "DROP TRIGGER audit_event_table ON audit_event"),
    ]
