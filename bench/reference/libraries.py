"""A word from Flask, with the portal's libraries loaded and nothing of the portal: what they take to start and keep."""

import sys
from importlib import import_module

from bench.reference.hello import app

__all__ = ["app"]

LIBRARIES = (
    "argon2",
    "babel.numbers",
    "email_validator",
    "flask_babel",
    "flask_wtf",
    "peewee",
    "prometheus_client",
    "pydantic",
    "stripe",
    "structlog",
)
for name in ("psycopg", "rich"):  # as in gunicorn.conf.py: SQLite needs no driver, and nobody coloured tracebacks
    sys.modules.setdefault(name, None)  # type: ignore[arg-type]
for name in LIBRARIES:
    import_module(name)
