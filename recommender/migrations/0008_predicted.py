"""Which vectors of films follow from what is told of them, and how many a version has."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("recommender", "0007_spaces")]

    operations = [
        migrations.AddField(
            "movievector", "predicted", models.BooleanField(default=False, db_default=False)
        ),
        migrations.AddField(
            "modelversion",
            "predicted_count",
            models.IntegerField(
                default=0,
                help_text="Films placed by what is told of them; `movie_count` are the others.",
            ),
        ),
    ]
