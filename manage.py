#!/usr/bin/env python
"""Django's command line, on the embedded PostgreSQL where no other is named."""

import os
import sys

from recommender.config import stack


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recommender.config.settings")
    stack.provide()

    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
