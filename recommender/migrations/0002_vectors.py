"""The tables of vectors, list-partitioned by model version, and pgvector itself."""

from django.db import migrations
from pgvector.django import VectorExtension


def table(name: str, owner: str, owner_table: str, more: str = "") -> migrations.RunSQL:
    return migrations.RunSQL(
        sql=f"""
        CREATE TABLE {name} (
            {owner}_id bigint NOT NULL REFERENCES {owner_table} (id) ON DELETE CASCADE,
            version_id bigint NOT NULL REFERENCES recommender_modelversion (id),
            {more}
            vector vector NOT NULL,
            PRIMARY KEY ({owner}_id, version_id)
        ) PARTITION BY LIST (version_id);
        """,
        reverse_sql=f"DROP TABLE {name};",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("recommender", "0001_initial"),
        ("movies", "0001_initial"),
        ("users", "0001_initial"),
    ]
    operations = [
        VectorExtension(),
        table("recommender_movievector", "movie", "movies_movie"),
        table("recommender_uservector", "user", "users_user", "taste_revision integer NOT NULL,"),
    ]
