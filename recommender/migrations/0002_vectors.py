"""The tables of vectors, list-partitioned by model version, and pgvector itself.

Django has no words for partitioned tables: SQL makes them, and the state records the models.
"""

from django.conf import settings
from django.db import migrations, models
from pgvector.django import VectorExtension, VectorField


def table(model: str, owner: str, owner_model: str, owner_table: str, revision: bool):
    name = f"recommender_{model.lower()}"
    revision_column = "taste_revision integer NOT NULL," if revision else ""
    create = f"""
        CREATE TABLE {name} (
            {owner}_id bigint NOT NULL REFERENCES {owner_table} (id) ON DELETE CASCADE,
            version_id bigint NOT NULL REFERENCES recommender_modelversion (id),
            {revision_column}
            vector vector NOT NULL,
            PRIMARY KEY ({owner}_id, version_id)
        ) PARTITION BY LIST (version_id);
    """
    related_name = {"related_name": "vectors", "db_index": False}
    fields = [
        (
            "pk",
            models.CompositePrimaryKey(
                f"{owner}_id",
                "version_id",
                blank=True,
                editable=False,
                primary_key=True,
                serialize=False,
            ),
        ),
        (owner, models.ForeignKey(owner_model, models.CASCADE, **related_name)),
        (
            "version",
            models.ForeignKey(
                "recommender.modelversion", models.CASCADE, related_name="+", db_index=False
            ),
        ),
        *([("taste_revision", models.IntegerField())] if revision else []),
        ("vector", VectorField()),
    ]
    return migrations.RunSQL(
        sql=create,
        reverse_sql=f"DROP TABLE {name};",
        state_operations=[migrations.CreateModel(model, fields, options={"db_table": name})],
    )


class Migration(migrations.Migration):
    dependencies = [
        ("recommender", "0001_initial"),
        ("movies", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        VectorExtension(),
        table("MovieVector", "movie", "movies.movie", "movies_movie", revision=False),
        table("UserVector", "user", settings.AUTH_USER_MODEL, "users_user", revision=True),
    ]
