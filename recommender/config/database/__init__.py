"""Django's PostgreSQL, whose connections are checked without asking the server."""
