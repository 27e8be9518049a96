"""More spaces than taste: what a version saw, and the vectors of words.

The table of words is list-partitioned by model version, as those of movies and users are.
"""

from django.db import migrations, models
from pgvector.django import VectorField

CHOICES = [
    ("taste", "Taste (from ratings)"),
    ("neighbours", "Neighbours (who watched this also watched)"),
    ("words", "Words (of titles, genres, people and overviews)"),
    ("story", "Story (what happens in it)"),
    ("people", "People (who made it and who plays)"),
]

WORDS = """
    CREATE TABLE recommender_wordvector (
        word text NOT NULL,
        version_id bigint NOT NULL REFERENCES recommender_modelversion (id),
        vector vector NOT NULL,
        PRIMARY KEY (word, version_id)
    ) PARTITION BY LIST (version_id);
"""


class Migration(migrations.Migration):
    dependencies = [("recommender", "0006_numbers")]

    operations = [
        *(
            migrations.AlterField(
                model, "space", models.CharField(choices=CHOICES, default="taste", max_length=20)
            )
            for model in ("modelversion", "trainingrun", "tuningstudy")
        ),
        migrations.AddField(
            "modelversion",
            "saw",
            models.TextField(
                blank=True, default="", help_text="What it was made of, for people to read."
            ),
        ),
        migrations.RunSQL(
            sql=WORDS,
            reverse_sql="DROP TABLE recommender_wordvector;",
            state_operations=[
                migrations.CreateModel(
                    "WordVector",
                    [
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "word",
                                "version_id",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("word", models.TextField()),
                        (
                            "version",
                            models.ForeignKey(
                                "recommender.modelversion",
                                models.CASCADE,
                                related_name="+",
                                db_index=False,
                            ),
                        ),
                        ("vector", VectorField()),
                    ],
                    options={"db_table": "recommender_wordvector"},
                )
            ],
        ),
    ]
