"""A version's map in a table of its own: it is drawn when the version is live already."""

import django.db.models.deletion
from django.db import migrations, models

MOVE = """
    INSERT INTO recommender_mapplace (movie_id, version_id, x, y, region)
    SELECT movie_id, version_id, map_x, map_y, map_region FROM recommender_movievector
    WHERE map_region >= 0
"""
MOVE_BACK = """
    UPDATE recommender_movievector AS placed SET map_x = x, map_y = y, map_region = region
    FROM recommender_mapplace AS place
    WHERE (place.movie_id, place.version_id) = (placed.movie_id, placed.version_id)
"""


class Migration(migrations.Migration):
    dependencies = [
        ("movies", "0006_length"),
        ("recommender", "0012_vectors_in_line"),
    ]

    operations = [
        migrations.CreateModel(
            name="MapPlace",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "movie_id",
                        "version_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("x", models.FloatField()),
                ("y", models.FloatField()),
                ("region", models.SmallIntegerField()),
                (
                    "movie",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="map_places",
                        to="movies.movie",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="map_places",
                        to="recommender.modelversion",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(MOVE, MOVE_BACK),
        migrations.RemoveField("movievector", "map_x"),
        migrations.RemoveField("movievector", "map_y"),
        migrations.RemoveField("movievector", "map_region"),
    ]
