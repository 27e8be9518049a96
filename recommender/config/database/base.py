"""What `ENGINE` in Django's settings leads to."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, but for the check of a connection before each request."""

    def is_usable(self) -> bool:
        """Whether the server still holds its end of the connection.

        A server that ends a connection, or ends itself, says so: there is something to read where
        nothing was asked. Only then is it asked, which Django does each time.
        """
        if self.connection is None or self.connection.closed or self.errors_occurred:
            return bool(super().is_usable())
        heard = select.poll()
        heard.register(self.connection, select.POLLIN)
        return not heard.poll(0) or bool(super().is_usable())
