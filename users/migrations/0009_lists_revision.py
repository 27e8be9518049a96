"""`lists_revision` follows the lists that keep films out of a person's recommendations.

As with ratings, statement-level triggers count it up, whoever writes.
"""

from django.db import migrations, models

TABLES = ("users_dismissal", "users_seen", "users_lesslike")
EVENTS = {"insert": "NEW", "delete": "OLD"}

FUNCTION = """
CREATE FUNCTION users_lists_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Rows are locked in one order, so that two statements cannot wait for each other.
    WITH locked AS (
        SELECT id FROM users_user WHERE id IN (SELECT user_id FROM changed)
        ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE users_user AS person SET lists_revision = person.lists_revision + 1
    FROM locked WHERE person.id = locked.id;
    RETURN NULL;
END $$;
"""
TRIGGER = """
CREATE TRIGGER users_lists_follow_{event} AFTER {event} ON {table}
REFERENCING {rows} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION users_lists_follow();
"""


class Migration(migrations.Migration):
    dependencies = [("users", "0008_evenings")]

    operations = [
        migrations.AddField(
            "user", "lists_revision", models.IntegerField(db_default=0, default=0, editable=False)
        ),
        migrations.RunSQL(
            [
                FUNCTION,
                *(
                    TRIGGER.format(event=event, table=table, rows=rows)
                    for table in TABLES
                    for event, rows in EVENTS.items()
                ),
            ],
            ["DROP FUNCTION users_lists_follow() CASCADE;"],
        ),
    ]
