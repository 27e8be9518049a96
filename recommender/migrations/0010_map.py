"""Where films lie on a version's map."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("recommender", "0009_ratings_seen")]

    operations = [
        migrations.AddField("movievector", "map_x", models.FloatField(null=True)),
        migrations.AddField("movievector", "map_y", models.FloatField(null=True)),
        migrations.AddField("movievector", "map_region", models.SmallIntegerField(null=True)),
    ]
