"""How many of a new film's ratings its vector has seen."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("recommender", "0008_predicted")]

    operations = [
        migrations.AddField(
            "movievector", "ratings_seen", models.IntegerField(default=0, db_default=0)
        ),
    ]
