"""Films' counts and people's `taste_revision` follow every change of ratings.

Statement-level triggers with transition tables: one aggregated update a statement, so that a COPY
of millions of ratings costs one pass, and no writer can forget to keep them.
"""

from django.db import migrations

FOLLOW = """
CREATE FUNCTION users_rating_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Rows are locked in one order, so that two statements cannot wait for each other.
    WITH change AS (
        SELECT movie_id, sum(ratings)::integer AS ratings, sum(half_stars) AS half_stars
        FROM ({changes}) AS rows GROUP BY movie_id
    ), locked AS (
        SELECT id FROM movies_movie WHERE id IN (SELECT movie_id FROM change)
        ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE movies_movie AS movie
    SET rating_count = movie.rating_count + change.ratings,
        rating_sum = movie.rating_sum + change.half_stars
    FROM change JOIN locked ON locked.id = change.movie_id
    WHERE movie.id = change.movie_id;

    WITH locked AS (
        SELECT id FROM users_user WHERE id IN ({people}) ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE users_user AS person SET taste_revision = person.taste_revision + 1
    FROM locked WHERE person.id = locked.id;
    RETURN NULL;
END $$;
"""

ADDED = "SELECT movie_id, 1 AS ratings, value AS half_stars FROM added"
REMOVED = "SELECT movie_id, -1 AS ratings, -value AS half_stars FROM removed"
EVENTS = {
    "insert": ("NEW TABLE AS added", ADDED, "SELECT user_id FROM added"),
    "delete": ("OLD TABLE AS removed", REMOVED, "SELECT user_id FROM removed"),
    "update": (
        "OLD TABLE AS removed NEW TABLE AS added",
        f"{ADDED} UNION ALL {REMOVED}",
        "SELECT user_id FROM added UNION SELECT user_id FROM removed",
    ),
}


def operation(event: str) -> migrations.RunSQL:
    tables, changes, people = EVENTS[event]
    name = f"users_rating_follow_{event}"
    function = FOLLOW.format(changes=changes, people=people).replace("users_rating_follow", name)
    trigger = (
        f"CREATE TRIGGER {name} AFTER {event.upper()} ON users_rating"
        f" REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION {name}();"
    )
    return migrations.RunSQL(
        sql=[function, trigger],
        reverse_sql=[f"DROP TRIGGER {name} ON users_rating;", f"DROP FUNCTION {name}();"],
    )


class Migration(migrations.Migration):
    dependencies = [("users", "0001_initial"), ("movies", "0001_initial")]
    operations = [operation(event) for event in EVENTS]
