import numpy as np
import pytest
from django.db import connection

from movies import binary_copy

pytestmark = pytest.mark.django_db


def copied(types: str, columns, texts=None):
    """What a table of these types holds after the COPY."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE copied ({types}) ON COMMIT DROP")
        with cursor.copy("COPY copied FROM STDIN (FORMAT BINARY)") as copy:
            for block in binary_copy.blocks(columns, texts):
                copy.write(block)
        cursor.execute("SELECT * FROM copied")
        return cursor.fetchall()


def test_numbers_of_each_size_and_truth_arrive_as_they_were():
    columns = [
        np.array([2**62, -1, 0], dtype=np.int64),
        np.array([2**30, -1, 0], dtype=np.int32),
        np.array([2**14, -1, 0], dtype=np.int16),
        np.array([True, False, True]),
        np.array([0.1, -1e300, 0]),
    ]
    found = copied("a int8, b int4, c int2, d bool, e float8", columns)
    assert found == [
        (2**62, 2**30, 2**14, True, 0.1),
        (-1, -1, -1, False, -1e300),
        (0, 0, 0, True, 0),
    ]


def test_vectors_and_texts_arrive_as_they_were():
    vectors = np.array([[0.5, -1.25, 3e-7], [0, 1, 2]], dtype=np.float32)
    found = copied("a vector, b text", [vectors], ["Amélie", ""])
    assert found == [("[0.5,-1.25,3e-07]", "Amélie"), ("[0,1,2]", "")]


def test_a_column_that_is_a_part_of_a_larger_array_is_read_in_its_own_order():
    pairs = np.arange(6, dtype=np.int64).reshape(3, 2)
    assert copied("a int8", [pairs[:, 1]]) == [(1,), (3,), (5,)]


def test_times_are_those_of_their_seconds():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL timezone = 'UTC'")
    (found,) = copied("a timestamptz", [binary_copy.timestamps(np.array([951_782_400]))])
    assert found[0].isoformat() == "2000-02-29T00:00:00+00:00"
