"""The connection to the database, as it is checked before each request."""

import pytest
from django.db import connection


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_server_has_ended_is_made_anew_and_others_are_not_asked():
    one, other = connection.copy(), connection.copy()
    before = ask(one, "SELECT pg_backend_pid()")
    one.health_check_done = False
    one.close_if_health_check_failed()
    assert one.connection.info.backend_pid == before
    last = "SELECT query FROM pg_stat_activity WHERE pid = %s"
    assert ask(other, last, before) == "SELECT pg_backend_pid()"
    assert ask(other, "SELECT pg_terminate_backend(%s, 10000)", before)
    one.health_check_done = False
    assert ask(one, "SELECT pg_backend_pid()") != before
    for each in (one, other):
        each.close()


def ask(database, statement, *parameters):
    with database.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchone()[0]
