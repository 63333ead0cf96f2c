"""A copy of the whole database, and the way back to it."""

import shutil
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

from portal import db
from tests import postgres


class Backup:
    """A copy of the whole database, and the way back to it."""

    def __init__(self, url: str) -> None:
        self._url = url
        db.disconnect()
        if url.startswith("sqlite"):
            self._file = Path(url.removeprefix("sqlite:///"))
            self._copy = self._file.with_suffix(".copy")
            with closing(connect(self._file)) as source, closing(connect(self._copy)) as target:
                source.backup(target)
        else:
            self._server, self._name = url.rsplit("/", 1)
            postgres.execute(self._server, f"CREATE DATABASE {self._name}_copy TEMPLATE {self._name}")
        db.open_connection()

    def is_put_back(self) -> None:
        db.disconnect()
        if self._url.startswith("sqlite"):
            for rest in ("-wal", "-shm"):
                Path(f"{self._file}{rest}").unlink(missing_ok=True)
            shutil.copy(self._copy, self._file)
        else:
            postgres.execute(self._server, f"DROP DATABASE {self._name} WITH (FORCE)")
            postgres.execute(self._server, f"CREATE DATABASE {self._name} TEMPLATE {self._name}_copy")
            postgres.execute(self._server, f"DROP DATABASE {self._name}_copy")
        db.open_connection()
