"""Tags are among the words of films."""

from django.db import migrations, models

SPACES = [
    ("taste", "Taste (from ratings)"),
    ("neighbours", "Neighbours (who watched this also watched)"),
    ("words", "Words (of titles, genres, people, tags and overviews)"),
    ("story", "Story (what happens in it)"),
    ("people", "People (who made it and who plays)"),
]


class Migration(migrations.Migration):
    dependencies = [("recommender", "0010_map")]

    operations = [
        migrations.AlterField(
            model, "space", models.CharField(choices=SPACES, default="taste", max_length=20)
        )
        for model in ("modelversion", "trainingrun", "tuningstudy")
    ]
