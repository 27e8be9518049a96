"""The WSGI entry point: `gunicorn recommender.config.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

# A request's matrices are small and requests are many: a thread each, rather than many for one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recommender.config.settings")
application = get_wsgi_application()
# Import every view now: the first visitor does not wait for it, and forked workers share it.
get_resolver().url_patterns  # noqa: B018
