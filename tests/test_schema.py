"""The schema is what the models say, and the database itself keeps the promises about money."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import peewee
import pytest

from portal import db, migrations
from portal.db import savepoint, transaction
from portal.deps import Deps
from portal.domain import states
from portal.models import TABLES, Alert, AuditLog, Payment, Refund, Reservation, RoomNight
from portal.models.fields import UtcDateTimeField
from portal.services import state

Make = Callable[..., Reservation]


def words(sql: str) -> str:
    """Without what is only spelling: quotes, spaces, casts, and brackets that an engine adds."""
    return re.sub(r"[\"\s()\[\]]|::\w+", "", sql).lower().replace("=anyarray", "in")


def describe_sqlite(table: str) -> dict[str, Any]:
    run = lambda sql: db.db.execute_sql(sql).fetchall()  # noqa: E731
    ((sql,),) = run(f"SELECT sql FROM sqlite_master WHERE type = 'table' AND name = '{table}'")
    indexes = {}
    for _, name, unique, _, partial in run(f"PRAGMA index_list({table})"):
        columns = [row[2] for row in run(f"PRAGMA index_info({name})")]
        where = ""
        if partial:
            ((text,),) = run(f"SELECT sql FROM sqlite_master WHERE name = '{name}'")
            where = words(re.split(r"\bWHERE\b", text)[1])
        indexes["pk" if name.startswith("sqlite_autoindex") else name] = (unique, columns, where)
    checks = re.findall(r"CONSTRAINT \w+ CHECK \([^\n]*?\)(?=,\n|\n|, CONSTRAINT|, FOREIGN|\)$)", sql)
    assert len(checks) == sql.count("CHECK"), sql  # none was overlooked
    return {
        "columns": {row[1]: (row[2], row[3], row[5]) for row in run(f"PRAGMA table_info({table})")},
        "indexes": indexes,
        "keys": sorted((row[2], row[3], row[4], row[6]) for row in run(f"PRAGMA foreign_key_list({table})")),
        "checks": sorted(map(words, checks)),
    }


def describe_postgres(table: str) -> dict[str, Any]:
    run = lambda sql: db.db.execute_sql(sql, (table,)).fetchall()  # noqa: E731
    return {
        "columns": run(
            "SELECT column_name, data_type, is_nullable FROM information_schema.columns"
            " WHERE table_name = %s ORDER BY column_name"
        ),
        "indexes": sorted(run("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s")),
        "constraints": sorted(
            run("SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass")
        ),
    }


def describe() -> dict[str, Any]:
    look = describe_postgres if db.is_postgres() else describe_sqlite
    return {table._meta.table_name: look(table._meta.table_name) for table in TABLES}


def test_the_migrations_make_what_the_models_say(database: str) -> None:
    migrated = describe()
    migrations.roll_back("0001_reservations")
    db.db.create_tables(TABLES, safe=False)
    from_models = describe()
    for table in migrated:
        for aspect in migrated[table]:
            assert migrated[table][aspect] == from_models[table][aspect], (table, aspect)


def test_every_step_can_be_undone_and_done_again(database: str) -> None:
    before = describe()
    steps = list(migrations.roll_back("0001_reservations"))
    assert steps == sorted(steps, reverse=True)
    assert db.db.get_tables() == ["schema_migration"]
    assert migrations.migrate() == sorted(steps)
    assert describe() == before
    assert migrations.pending() == []


def test_a_table_that_is_already_there_stops_the_migration_and_nothing_is_half_done(database: str) -> None:
    migrations.roll_back("0004_staff")
    db.db.execute_sql("CREATE TABLE api_answer (id INTEGER)")  # in the way of a later statement of the step
    with pytest.raises(peewee.DatabaseError):
        migrations.migrate()
    assert migrations.pending() == [
        "0004_staff",
        "0005_operations",
        "0006_staff_pages",
        "0007_searching",
        "0008_api",
        "0009_in_the_order_of_time",
        "0010_refunds_on_their_way",
    ]
    assert "staff" not in db.db.get_tables()
    db.db.execute_sql("DROP TABLE api_answer")
    assert migrations.migrate() == [
        "0004_staff",
        "0005_operations",
        "0006_staff_pages",
        "0007_searching",
        "0008_api",
        "0009_in_the_order_of_time",
        "0010_refunds_on_their_way",
    ]
    assert migrations.migrate() == []


def test_a_step_of_a_newer_version_is_noticed(database: str) -> None:
    assert migrations.unknown() == []
    db.db.execute_sql("INSERT INTO schema_migration (name, applied) VALUES ('0999_later', '2026-11-23 00:00:00')")
    assert migrations.unknown() == ["0999_later"]


def test_the_audit_log_stays_when_later_steps_are_undone_and_done_again(deps: Deps, make_reservation: Make) -> None:
    make_reservation()
    before = AuditLog.select().count()
    migrations.roll_back("0004_staff")
    migrations.migrate()
    assert AuditLog.select().count() == before
    assert refuses(lambda: AuditLog.delete().execute())


def test_sqlite_runs_as_money_needs_it(database: str) -> None:
    if db.is_postgres():
        assert db.db.execute_sql("SHOW TimeZone").fetchone()[0] == "UTC"
        return
    pragmas = {
        name: db.db.execute_sql(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys")
    }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}  # 2: FULL


@pytest.fixture
def payment(deps: Deps, make_reservation: Make) -> Payment:
    """A payment that is open."""
    now = deps.now()
    with transaction():
        row: Payment = Payment.create(
            public_id="PAY-1",
            reservation=Reservation.select().first(),
            amount=112_500,
            currency="EUR",
            status="open",
            session_number=1,
            attempt_number=1,
            created_at=now,
        )
    return row


@pytest.fixture
def reservation(make_reservation: Make) -> Iterator[Reservation]:
    return make_reservation()


def refuses(act: Callable[[], object]) -> bool:
    """Whether the database itself refuses it, whatever the code above it thinks."""
    with transaction():
        try:
            with savepoint():
                act()
        except peewee.IntegrityError:
            return True
    return False


def another(payment: Payment, **changes: Any) -> Callable[[], object]:
    values = {**payment.__data__, "id": None, "public_id": "PAY-2", "session_number": 2, **changes}
    return lambda: Payment.create(**{name: value for name, value in values.items() if name != "id"})


def test_the_database_refuses_two_live_payments(reservation: Reservation, payment: Payment) -> None:
    for live in states.LIVE_PAYMENT:
        assert refuses(another(payment, status=live))
    assert not refuses(another(payment, status="expired"))


def test_the_database_refuses_more_money_than_the_price(reservation: Reservation) -> None:
    for paid in (-1, reservation.total + 1):
        assert refuses(lambda paid=paid: Reservation.update(paid=paid).execute())
    assert not refuses(lambda: Reservation.update(paid=reservation.total).execute())


def test_the_database_refuses_a_night_twice(reservation: Reservation) -> None:
    night = RoomNight.select().first()
    assert refuses(lambda: RoomNight.create(room=night.room_id, night=night.night, reservation=None))


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "succeeded"},
        {"disposition": "kept"},
        {"status": "succeeded", "disposition": "lost"},
        {"status": "paid"},
        {"provider": "paypal"},
        {"amount": 0},
    ],
)
def test_the_database_refuses_a_payment_that_makes_no_sense(
    changes: dict[str, Any], reservation: Reservation, payment: Payment
) -> None:
    assert refuses(another(payment, **{"status": "expired", **changes}))


def test_the_database_refuses_two_automatic_refunds(deps: Deps, reservation: Reservation, payment: Payment) -> None:
    def refund(number: int, kind: str, status: str = "todo") -> Callable[[], object]:
        now = deps.now()
        return lambda: Refund.create(
            public_id=f"REF-{number}",
            payment=payment,
            kind=kind,
            amount=1,
            currency="EUR",
            status=status,
            idempotency_key=f"ref:{number}",
            requested_by="test",
            created_at=now,
            updated_at=now,
        )

    assert not refuses(refund(1, "policy"))
    assert refuses(refund(2, "returned"))
    assert not refuses(refund(3, "returned", "failed"))
    assert not refuses(refund(4, "staff"))


def test_one_alert_is_open_for_a_cause_and_another_may_follow(deps: Deps) -> None:
    add = lambda **more: Alert.create(kind="dispute", cause="dp_1", created_at=deps.now(), **more)  # noqa: E731
    assert not refuses(add)
    assert refuses(add)
    assert refuses(lambda: add(closed_at=deps.now()))  # closed, but by nobody
    assert not refuses(lambda: add(closed_at=deps.now(), closed_by="Rita", why_closed="answered"))


def test_the_audit_log_is_only_added_to(deps: Deps, reservation: Reservation) -> None:
    with transaction():
        state.move(reservation, "expired", actor="test", cause="test", now=deps.now())
    before = AuditLog.select().count()
    assert before
    for change in (AuditLog.delete(), AuditLog.update(actor="nobody")):
        assert refuses(lambda change=change: change.execute())
    one = AuditLog.select().first()
    assert refuses(one.delete_instance)
    if db.is_postgres():
        assert refuses(lambda: db.db.execute_sql("TRUNCATE audit_log"))
    assert AuditLog.select().count() == before


def test_an_instant_comes_back_as_it_went_in_and_needs_a_zone(deps: Deps, reservation: Reservation) -> None:
    instant = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=timezone(timedelta(hours=-5)))
    with transaction():
        Reservation.update(hold_until=instant).where(Reservation.id == reservation.id).execute()
    back = Reservation.get_by_id(reservation.id).hold_until
    assert back == instant
    assert back.tzinfo is UTC or back.utcoffset() == timedelta(0)
    assert Reservation.select().where(Reservation.hold_until <= instant).exists()
    assert not Reservation.select().where(Reservation.hold_until < instant).exists()
    with pytest.raises(ValueError, match="without a time zone"):
        UtcDateTimeField().db_value(datetime(2026, 1, 1))  # noqa: DTZ001  # what is refused here
