"""gunicorn's door: `gunicorn wsgi:app`."""

import sys

from portal import NotReady, create_app, db
from portal.db import DatabaseBusy
from portal.settings import Settings, SettingsError

try:
    app = create_app(Settings.from_environ())
except (SettingsError, NotReady) as problem:
    sys.exit(str(problem))
except DatabaseBusy as problem:
    sys.exit(f"The database cannot be reached ({problem}).")
finally:
    db.disconnect()  # the server forks: no child may share a connection
