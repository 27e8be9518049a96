"""The ASGI entry point, for servers that speak it."""

import os

from django.core.asgi import get_asgi_application

# A request's matrices are small and requests are many: a thread each, rather than many for one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recommender.config.settings")
application = get_asgi_application()
