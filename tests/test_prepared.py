"""Statements that are compiled once give what the query builder gives, on both engines."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import peewee
import pytest

from portal import db, prepared
from portal.db import transaction
from portal.deps import Deps
from portal.models import Cursor, Hotel, OutgoingMail, Payment, Refund, Reservation, Room, RoomNight
from portal.prepared import Prepared
from portal.services import reservations
from tests.statements import counted

Make = Callable[..., Reservation]
Count = Callable[[Callable[[], object]], int]

BY_CODE: Prepared[Reservation] = Prepared(lambda code: Reservation.select().where(Reservation.code == code))
WITH_ROOM: Prepared[Reservation] = Prepared(
    lambda since: Reservation.select(Reservation, Room).join(Room).where(Reservation.hold_until > since)
)
NIGHTS: Prepared[RoomNight] = Prepared(
    lambda room: (
        RoomNight.select(RoomNight, Reservation)
        .join(Reservation, peewee.JOIN.LEFT_OUTER)
        .where(RoomNight.room == room)
        .order_by(RoomNight.night)
    )
)
RENAME: Prepared[Any] = Prepared(
    lambda stay, name, now: Reservation.update(
        {Reservation.guest_name: name, Reservation.updated_at: now.of(Reservation.updated_at)}
    ).where(Reservation.id == stay)
)


def test_rows_are_what_the_query_builder_gives(deps: Deps, make_reservation: Make) -> None:
    stay = make_reservation()
    again = BY_CODE.first(stay.code)
    assert again is not None
    assert again.__data__ == Reservation.get_by_id(stay.id).__data__
    assert not again.dirty_fields
    assert BY_CODE.first("nobody's") is None
    assert BY_CODE.all("' OR ''='") == []


def test_a_joined_row_costs_no_further_statement(deps: Deps, make_reservation: Make, count_statements: Count) -> None:
    stay = make_reservation()
    assert count_statements(lambda: [found.room.name for found in WITH_ROOM.all(deps.now())]) == 1
    assert [(found.id, found.room.name) for found in WITH_ROOM.all(deps.now())] == [(stay.id, "Garden room")]
    assert WITH_ROOM.all(deps.now() + timedelta(days=30)) == []


def test_an_outer_join_that_finds_nothing_is_none(deps: Deps, make_reservation: Make) -> None:
    stay = make_reservation(nights=1)
    today = reservations.today_at_hotel(deps)
    RoomNight.create(room=stay.room_id, night=today, reservation=None)
    assert [night.reservation and night.reservation.code for night in NIGHTS.all(stay.room_id)] == [None, stay.code]


def test_values_are_converted_as_their_columns_want_them(deps: Deps, make_reservation: Make) -> None:
    stay, now = make_reservation(), deps.now()
    with transaction():
        assert RENAME.run(stay.id, "Ana", now) == 1
    again = Reservation.get_by_id(stay.id)
    assert (again.guest_name, again.updated_at) == ("Ana", now)
    with pytest.raises(ValueError, match="without a time zone"), transaction():
        RENAME.run(stay.id, "Ana", datetime(2026, 12, 4, 12))  # noqa: DTZ001  # that is the point


def test_rows_that_are_added_once_are_counted(deps: Deps) -> None:
    values = {"name": "a job", "value": "3", "updated_at": deps.now()}
    with transaction():
        assert prepared.insert(Cursor, unless_there=True, **values) == 1
        assert prepared.insert(Cursor, unless_there=True, **values | {"value": "4"}) == 0
    assert Cursor.get_by_id("a job").__data__ == values
    with pytest.raises(peewee.IntegrityError), transaction():
        prepared.insert(Cursor, **values)


def test_what_is_not_named_has_its_default(deps: Deps, make_reservation: Make) -> None:
    stay = make_reservation()
    names = {"kind": "cancelled", "recipient": "ines@carvalho.example", "locale": "pt_PT", "created_at": deps.now()}
    with transaction():
        assert prepared.insert(OutgoingMail, cause="it", reservation=stay, details={"due": 3}, **names) == 1
        assert prepared.insert(OutgoingMail, cause="another", **names) == 1
    stored = [
        (mail.reservation_id, mail.details, mail.tries) for mail in OutgoingMail.select().order_by(OutgoingMail.id)
    ]
    assert stored == [(stay.id, {"due": 3}, 0), (None, {}, 0)]


def test_only_rows_that_are_as_they_were_are_changed(deps: Deps, make_reservation: Make) -> None:
    stay = make_reservation()
    with transaction():
        assert prepared.update(Reservation, {"guest_name": "Ana", "paid": 5}, id=stay.id, status="expired") == 0
        assert prepared.update(Reservation, {"guest_name": "Ana", "paid": 5}, id=stay.id, status="pending") == 1
    again = Reservation.get_by_id(stay.id)
    assert (again.guest_name, again.paid) == ("Ana", 5)


def test_a_row_can_carry_another_that_no_column_names(make_reservation: Make, count_statements: Count) -> None:
    stay = make_reservation()
    with_hotel: Prepared[Any] = Prepared(
        lambda code: (
            Reservation.select(Reservation, Hotel.timezone)
            .join(Hotel, on=(Hotel.id == 1), attr="hotel")
            .where(Reservation.code == code)
        )
    )
    assert count_statements(lambda: [found.hotel.timezone for found in with_hotel.all(stay.code)]) == 1
    assert [found.hotel.timezone for found in with_hotel.all(stay.code)] == ["Europe/Lisbon"]


def test_a_row_that_is_gone_cannot_be_locked(deps: Deps) -> None:
    with pytest.raises(peewee.DoesNotExist), transaction():
        db.lock(Reservation, 999)


def test_a_statement_is_told_how_many_values_it_needs() -> None:
    with pytest.raises(TypeError, match="1 values are needed, not 2"):
        BY_CODE.first("one", "two")


def test_tuples_and_sums(deps: Deps, make_reservation: Make) -> None:
    make_reservation()
    sums: Prepared[tuple[str, int]] = Prepared(
        lambda: (
            Reservation.select(Reservation.status, peewee.fn.SUM(Reservation.total))
            .group_by(Reservation.status)
            .tuples()
        )
    )
    assert [(word, int(total)) for word, total in sums.all()] == [("pending", 112_500)]
    refunds: Prepared[Refund] = Prepared(lambda: Refund.select(Refund, Payment).join(Payment))
    assert refunds.all() == []
    assert db.db is not None


ODD = "O'Brien; -- 100%s ? %"
OF_ODD: Prepared[tuple[str, str, int]] = Prepared(
    lambda code: (
        Reservation.select(Reservation.guest_name, peewee.Value(ODD), Reservation.adults - -7)
        .where((Reservation.code == code) & (Reservation.guest_name == ODD) & (Reservation.status == "pending"))
        .limit(1)
        .tuples()
    )
)


def test_constants_stand_in_the_statement_and_odd_ones_stay_values(
    make_reservation: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    stay = make_reservation(guest_name=ODD)
    with counted(monkeypatch) as statements:
        assert OF_ODD.all(stay.code) == [(ODD, ODD, stay.adults + 7)]
        assert OF_ODD.all("nobody's") == []
    assert all("'pending'" in sql and "LIMIT 1" in sql and "O'Brien" not in sql for sql in statements)


def test_a_percent_sign_of_the_statement_is_no_blank() -> None:
    text = "SELECT strftime('%s', made), ? FROM stays LIMIT ?"
    given = [b"a picture", 50]
    assert prepared._with_constants(text, given, mark="?") == (text.replace("LIMIT ?", "LIMIT 50"), given[:1])


def test_what_is_worked_out_besides_is_an_attribute(make_reservation: Make) -> None:
    stay = make_reservation()
    with_count: Prepared[Reservation] = Prepared(
        lambda code: (
            Reservation.select(Reservation, Room, peewee.fn.UPPER(Room.name).alias("loud"))
            .join(Room)
            .where(Reservation.code == code)
        )
    )
    found: Any = with_count.first(stay.code)
    assert (found.id, found.room.name, found.loud) == (stay.id, "Garden room", "GARDEN ROOM")
    of_one_table: Prepared[Reservation] = Prepared(
        lambda code: Reservation.select(
            Reservation.code, Reservation.check_in.alias("first_day"), (Reservation.total * 2).alias("paid")
        ).where(Reservation.code == code)
    )
    found = of_one_table.first(stay.code)
    assert (found.code, found.first_day, found.paid) == (stay.code, stay.check_in, stay.total * 2)
    assert not found.dirty_fields
    joined: Prepared[Reservation] = Prepared(
        lambda code: Reservation.select(Reservation, Room.name.alias("loud")).join(Room).where(Reservation.code == code)
    )
    found = joined.first(stay.code)
    assert found.room.loud == "Garden room"


def test_a_steady_bound_finds_what_a_plain_one_finds(make_reservation: Make) -> None:
    stays = [make_reservation(in_days=10 * number) for number in range(1, 4)]
    middle = Reservation.get_by_id(stays[1].id)
    columns = (Reservation.check_in, Reservation.hold_until, Reservation.id)
    for column in columns:
        bounded: Prepared[Any] = Prepared(
            lambda bound, column=column: (
                Reservation.select(Reservation.id)
                .where(column >= prepared.steady(bound, column))
                .order_by(Reservation.id)
                .limit(5)
                .tuples()
            ),
            blanks=1,
        )
        value = getattr(middle, column.name)
        plain = Reservation.select(Reservation.id).where(column >= value).order_by(Reservation.id).tuples()
        assert bounded.all(value) == list(plain) != []
    assert prepared.steady(7, Reservation.id) == 7


def test_a_row_that_says_the_same_again_is_the_same_object_and_another_is_not(make_reservation: Make) -> None:
    stay = make_reservation()
    names: Prepared[tuple[Any, ...]] = Prepared(
        lambda: Reservation.select(Reservation.id, Reservation.guest_name, Reservation.updated_at).tuples(),
        remembers=8,
    )
    (first,), (again,) = names.all(), names.all()
    assert first is again
    Reservation.update(guest_name="Somebody Else").where(Reservation.id == stay.id).execute()
    ((number, name, _),) = names.all()
    assert (number, name) == (stay.id, "Somebody Else")
