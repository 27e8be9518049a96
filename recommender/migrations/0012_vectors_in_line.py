"""Vectors stay in their rows: a scan of all of them need not look up each one elsewhere.

A row with two long vectors was over the two kilobytes beyond which PostgreSQL puts the longest
value aside. That is now the input vector, which fold-in reads for a person's own films alone. It
holds for the tables of versions that are trained from now on.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("recommender", "0011_label_of_words")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE recommender_movievector ALTER COLUMN vector SET STORAGE PLAIN",
            "ALTER TABLE recommender_movievector ALTER COLUMN vector SET STORAGE EXTERNAL",
        )
    ]
