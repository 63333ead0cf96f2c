"""A Django site that does nothing but take Stripe's messages with dj-stripe, set up as its documentation and Django's
advice for production say, and kept as light as both allow."""

import os

SECRET_KEY = "signs nothing here"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "djstripe"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]
ROOT_URLCONF = "site_urls"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Tables made in one go from the models: they end up the same, and the history of dj-stripe takes most of a minute.
MIGRATION_MODULES = {"contenttypes": None, "auth": None, "djstripe": None}

STRIPE_LIVE_MODE = False
STRIPE_TEST_SECRET_KEY = "sk_test_OfTheBenchAndOfNobodyElse"
STRIPE_API_HOST = os.environ["STRIPE_STUB"]
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"


def _database() -> dict[str, object]:
    """As durable as the portal's, and with connections that are kept."""
    if port := os.environ.get("POSTGRES_PORT"):
        server = {"HOST": "127.0.0.1", "PORT": port, "USER": "postgres", "NAME": os.environ["DATABASE"]}
        return {"ENGINE": "django.db.backends.postgresql", **server, "CONN_MAX_AGE": None}
    pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
    options = {"transaction_mode": "IMMEDIATE", "timeout": 30, "init_command": pragmas}
    name = os.environ["DATABASE"]
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "OPTIONS": options, "CONN_MAX_AGE": None}


DATABASES = {"default": _database()}
