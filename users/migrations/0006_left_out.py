"""Ratings that do not count for their people's taste, bound to the rating itself.

Django has no foreign key to a composite primary key, so it is added in SQL: a rating that is
withdrawn, by whomever, takes its row with it. As with ratings, a statement-level trigger counts the
`taste_revision` of the people concerned up.
"""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

FUNCTION = """
CREATE FUNCTION users_leftout_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Rows are locked in one order, so that two statements cannot wait for each other.
    WITH locked AS (
        SELECT id FROM users_user WHERE id IN (SELECT user_id FROM changed)
        ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE users_user AS person SET taste_revision = person.taste_revision + 1
    FROM locked WHERE person.id = locked.id;
    RETURN NULL;
END $$;
"""
TRIGGER = """
CREATE TRIGGER users_leftout_follow_{event} AFTER {event} ON users_leftout
REFERENCING {table} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION users_leftout_follow();
"""
OF_A_RATING = """
ALTER TABLE users_leftout ADD CONSTRAINT users_leftout_of_a_rating
FOREIGN KEY (user_id, movie_id) REFERENCES users_rating (user_id, movie_id) ON DELETE CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("movies", "0003_search_by_words"),
        ("users", "0005_dials"),
    ]

    operations = [
        migrations.CreateModel(
            name="LeftOut",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "user_id",
                        "movie_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("left_out_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "movie",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="left_out",
                        to="movies.movie",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="left_out",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "rating left out",
                "verbose_name_plural": "ratings left out",
            },
        ),
        migrations.RunSQL(
            [
                OF_A_RATING,
                FUNCTION,
                TRIGGER.format(event="insert", table="NEW"),
                TRIGGER.format(event="delete", table="OLD"),
            ],
            # The table goes with its triggers and its constraint.
            ["DROP FUNCTION users_leftout_follow() CASCADE;"],
        ),
    ]
