from django.db import migrations

# The body is one statement for each case, because OLD exists in a trigger for rows only.
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
    """Refuse to change audit events, and to delete them. Only a transaction that sets chatstore.audit_delete_before to
    a time can delete events, and only those from before this time. Housekeeping does (`staff.audit_retention`)."""

    dependencies = [("staff", "0001_initial")]

    operations = [
        migrations.RunSQL(REFUSE, "DROP FUNCTION audit_event_refuse"),
        migrations.RunSQL(ROWS, "DROP TRIGGER audit_event_rows ON audit_event"),
        migrations.RunSQL(TABLE, "DROP TRIGGER audit_event_table ON audit_event"),
    ]
