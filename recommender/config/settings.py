"""Settings, read from the environment alone; `docs/operations.md` lists every variable.

Where nothing is set, `manage.py` names the embedded servers of `recommender.config.stack` there.
"""

from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.urls import reverse_lazy

BASE_DIR = Path(__file__).resolve().parents[2]
env = environ.Env()

# Where the site runs ---------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)


def required(name: str, advice: str) -> str:
    """Return the variable, or stop and say what to set."""
    value: str = env.str(name, default="")
    if not value:
        raise ImproperlyConfigured(f"Set {name}: {advice}.")
    return value


SECRET_KEY = required(
    "SECRET_KEY",
    "a long random string, such as python -c 'import secrets; print(secrets.token_urlsafe(48))'"
    " prints",
)
if not DEBUG and (len(SECRET_KEY) < 32 or SECRET_KEY.startswith("django-insecure")):
    raise ImproperlyConfigured("SECRET_KEY is too weak outside DEBUG: set 32 random characters.")

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# HTTPS=1 says that browsers reach the site by https, through a proxy that sets X-Forwarded-Proto.
HTTPS = env.bool("HTTPS", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"

# The house -------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "recommender",
    "users",
    "movies",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "csp",
    "django_celery_beat",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "js_lib_leaflet",
    "rest_framework",
    "rest_framework.authtoken",
]

MIDDLEWARE = [
    "recommender.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "recommender.config.urls"
WSGI_APPLICATION = "recommender.config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# Data ------------------------------------------------------------------------------------------

required("DATABASE_URL", "such as postgresql://user:password@host/marquee")
DATABASES = {"default": env.db("DATABASE_URL")}
if socket_folder := DATABASES["default"].get("OPTIONS", {}).pop("host", ""):
    DATABASES["default"]["HOST"] = socket_folder
DATABASES["default"]["ENGINE"] = "recommender.config.database"
# A connection is checked before each request, so that a restarted database is found again.
DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
DATABASES["default"]["TEST"] = {"TEMPLATE": "template0"}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = required("REDIS_URL", "such as redis://host:6379/0")
CACHES = {
    "default": {
        "BACKEND": "recommender.config.cache.Cache",
        "LOCATION": REDIS_URL,
        # A page does not wait for a cache that is away.
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 2},
    }
}

CELERY_BROKER_URL = REDIS_URL
if REDIS_URL.startswith("unix://"):
    # Celery has other words for a socket, and for the number of a database behind it.
    CELERY_BROKER_URL = f"redis+socket{REDIS_URL.removeprefix('unix')}".replace(
        "?db=", "?virtual_host="
    )
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    # A page says at once that the queue is away; workers have retries of their own.
    "max_retries": 1,
    "interval_start": 0,
}
# Runs keep their own record in the database; nothing reads a task's result.
CELERY_TASK_IGNORE_RESULT = True
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
# A scheduled run that was missed by more than this is left out: the next one is not far.
CELERY_BEAT_CRON_STARTING_DEADLINE = 3600
# Queued behind a long training, a tidying is dropped once the next one is due.
CELERY_BEAT_SCHEDULE = {
    "Tidy training runs": {
        "task": "recommender.tasks.tidy_runs",
        "schedule": 60,
        "options": {"expires": 55},
    },
    "Delete old histories": {
        "task": "users.tasks.tidy_histories",
        "schedule": 3600,
        "options": {"expires": 3500},
    },
    "Place new films": {
        "task": "recommender.tasks.place_films",
        "schedule": 300,
        "options": {"expires": 290},
    },
}
CELERY_TIMEZONE = "UTC"

# Imports ---------------------------------------------------------------------------------------

MARQUEE_HOME = Path(env.str("MARQUEE_HOME", default=str(BASE_DIR / ".marquee"))).expanduser()
DOWNLOADS = MARQUEE_HOME / "downloads"
MOVIELENS_URL = env.str("MOVIELENS_URL", default="https://files.grouplens.org/datasets/movielens/")
WIKIPEDIA_URL = env.str(
    "WIKIPEDIA_URL",
    default="https://raw.githubusercontent.com/prust/wikipedia-movie-data/master/",
)

# The Movie Database, where staff add single films from: a key, or a token to read with.
TMDB_URL = env.str("TMDB_URL", default="https://api.themoviedb.org/3/")
TMDB_API_KEY = env.str("TMDB_API_KEY", default="")

# What people send is bounded before it is written down, by the first of these.
FILE_UPLOAD_HANDLERS = [
    "users.uploads.Bounded",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# People ----------------------------------------------------------------------------------------

AUTH_USER_MODEL = "users.User"
LOGIN_URL = "users:login"
LOGIN_REDIRECT_URL = "home"
# Where somebody new goes first.
SIGNUP_REDIRECT_URL = "recommender:welcome"
LOGOUT_REDIRECT_URL = "home"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

# Static files ----------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "recommender.config.fonts.FontFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "recommender.config.static.CollectedFiles"
    },
}

# Whether browsers may fetch the posters' photographs from where they lie, which tells those hosts
# who looks at what. Without, every film has the poster that we draw.
REMOTE_POSTERS = env.bool("REMOTE_POSTERS", default=False)
POSTER_HOSTS = ["https://upload.wikimedia.org", "https://image.tmdb.org"] if REMOTE_POSTERS else []

CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ("/admin/",),
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", *POSTER_HOSTS],
        "style-src": [SELF],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
    },
}

# The interface for programs ---------------------------------------------------------------------

# How many proxies stand in front and may be believed about where a request comes from.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=1 if HTTPS else 0)

REST_FRAMEWORK = {
    # The token comes first, for its header is what a 401 must name.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "recommender.api.access.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "recommender.api.schema.AutoSchema",
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "DEFAULT_THROTTLE_CLASSES": [
        "recommender.api.access.AnonymousThrottle",
        "recommender.api.access.PersonThrottle",
        "recommender.api.access.ScopedThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {
        "anon": env.str("API_THROTTLE_ANON", default="120/min"),
        "user": env.str("API_THROTTLE_USER", default="600/min"),
        "token": "10/min",
    },
    "NUM_PROXIES": TRUSTED_PROXIES,
    "URL_FORMAT_OVERRIDE": None,
}
DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_HANDLER_CLASS": "recommender.api.problems.ProblemHandler",
    "ALLOWED_ERROR_STATUS_CODES": ["400", "401", "403", "404", "429"],
    "ERROR_SCHEMAS": dict.fromkeys(
        ["400", "401", "403", "404", "429"], "recommender.api.problems.ProblemSerializer"
    ),
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Marquee",
    "DESCRIPTION": (
        "Movies, ratings and recommendations.\n\n"
        "**Signing in.** Send your name and password to `token/`, then the token with every"
        " request: `Authorization: Token …`. A browser that is signed in to the site needs none."
        " Films and recommendations can be read without.\n\n"
        "**Lists** come in pages of up to 100; `next` leads on.\n\n"
        "**Problems** all have one shape: `type`, and `errors` of which each has a `code`, a"
        " `detail` and in `attr` the field or parameter that is wrong. 429 and 503 say in"
        " `Retry-After` when to come back."
    ),
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    # Without links to single operations, whose buttons would then hold links.
    "SWAGGER_UI_SETTINGS": {"deepLinking": False},
    "ENUM_NAME_OVERRIDES": {
        "RunState": "recommender.models.TrainingRun.State",
        "VersionState": "recommender.models.ModelVersion.State",
    },
}

UNFOLD = {
    "SITE_TITLE": "Marquee",
    "SITE_HEADER": "Marquee",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("img/favicon.svg")}
    ],
    "SHOW_HISTORY": True,
    # The site's own accent, from paper to soot.
    "COLORS": {
        "primary": {
            "50": "#fff8ee",
            "100": "#ffecd0",
            "200": "#ffd79c",
            "300": "#ffc46d",
            "400": "#ffb648",
            "500": "#e98a24",
            "600": "#a8380e",
            "700": "#86290a",
            "800": "#6b220c",
            "900": "#571f0e",
            "950": "#2f0e05",
        }
    },
    "LOGIN": {"form": "users.forms.StaffLogInForm"},
    "SITE_DROPDOWN": [
        {"icon": "movie", "title": "The site", "link": "/"},
        {
            "icon": "model_training",
            "title": "Training console",
            "link": reverse_lazy("studio:overview"),
        },
    ],
}

# Marquee's own -----------------------------------------------------------------------------------

# How many versions of a space keep their vectors, so that a rollback is at hand.
KEPT_VERSIONS = env.int("KEPT_VERSIONS", default=5)
# Up to this many vectors an exact scan is as fast as the HNSW index, and has no misses.
EXACT_SCAN_MAX_VECTORS = env.int("EXACT_SCAN_MAX_VECTORS", default=20_000)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING")},
    "loggers": {
        name: {"level": env.str("LOG_LEVEL", default="INFO")}
        for name in ("recommender", "movies", "users")
    },
}
