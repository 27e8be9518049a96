from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection


@pytest.fixture
def database_away(transactional_db):
    """`with database_away():` the site looks for its database where none listens."""

    @contextmanager
    def away(port: int = 1) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
            patch.setitem(connection.settings_dict, "PORT", port)
            connection.close()
            try:
                yield
            finally:
                connection.close()

    return away
