"""Real data sets for tests, where they lie beside the checkout."""

import os
from pathlib import Path

import pytest
from django.conf import settings


def real_data(name: str) -> Path:
    """Return the folder of a data set, or skip the test that asks for it.

    They are looked for below `MARQUEE_TEST_DATA`, or in `shared/data` beside the checkout.
    """
    beside = settings.BASE_DIR.parent / "shared" / "data"
    folder = Path(os.environ.get("MARQUEE_TEST_DATA", beside)) / name
    if not folder.is_dir():
        pytest.skip(f"{name} is not here: set MARQUEE_TEST_DATA to the folder that holds it.")
    return folder
