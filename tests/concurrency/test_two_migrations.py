"""Two hosts are updated at the same moment."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal import db, migrations
from tests import postgres, processes

STEPS = sorted(path.stem for path in Path(migrations.__file__).parent.glob("0*.py"))


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'portal.db'}"
        return
    server, name = request.getfixturevalue("postgres_server"), f"empty_{uuid.uuid4().hex[:10]}"
    postgres.execute(server, f"CREATE DATABASE {name}")
    yield f"{server}/{name}"
    postgres.execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def test_two_hosts_migrate_at_once(empty_database: str, tmp_path: Path) -> None:
    """Each step is taken by one of them, both end well, and there is one hotel."""
    environment = {
        "DATABASE_URL": empty_database,
        "SECRET_KEY": "0123456789abcdef0123456789abcdef",
        "PUBLIC_BASE_URL": "http://127.0.0.1:8000",
        "STRIPE_SECRET_KEY": "sk_test_of_the_tests",
    }
    hosts = [processes.start(name, ["-m", "portal", "migrate"], environment, tmp_path) for name in ("one", "two")]
    try:
        assert [host.wait_over() for host in hosts] == [0, 0], [host.said() for host in hosts]
    finally:
        for host in hosts:
            host.kill()
    said = "".join(host.said() for host in hosts)
    assert sorted(line.removeprefix("applied ") for line in said.splitlines() if line.startswith("applied ")) == STEPS
    assert said.count("up to date") == 1
    db.initialise(empty_database)
    try:
        assert migrations.pending() == []
    finally:
        db.disconnect()
