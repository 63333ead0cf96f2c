"""The small services that everything stands on: the door for states, limits, links, alerts, leases."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from portal import jobs
from portal.db import transaction
from portal.deps import Deps
from portal.models import Alert, AuditLog, Lease, RateBucket, Reservation, RoomNight, WebhookEvent
from portal.services import alerts, holds, hotels, leases, links, nights, state, throttle, webhook_events
from tests.actors import Clock, rows

Make = Callable[..., Reservation]
LIMIT = throttle.Limit("test", 3, timedelta(minutes=10))


def test_a_state_changes_only_inside_a_transaction(deps: Deps, make_reservation: Make) -> None:
    with pytest.raises(RuntimeError, match="begin a transaction"):
        state.move(make_reservation(), "confirmed", actor="test", cause="test", now=deps.now())


def test_a_forbidden_change_changes_nothing(deps: Deps, make_reservation: Make) -> None:
    reservation = make_reservation()
    with transaction():
        state.move(reservation, "cancelled", actor="test", cause="test", now=deps.now())
    log = AuditLog.select().count()
    with pytest.raises(state.ForbiddenChange), transaction():
        state.move(reservation, "confirmed", actor="test", cause="test", now=deps.now())
    assert Reservation.get_by_id(reservation.id).status == "cancelled"
    assert AuditLog.select().count() == log


def test_a_row_that_changed_meanwhile_is_not_overwritten(deps: Deps, make_reservation: Make) -> None:
    stale = make_reservation()
    with transaction():
        state.move(Reservation.get_by_id(stale.id), "cancelled", actor="guest", cause="first", now=deps.now())
    with pytest.raises(state.StaleRow), transaction():
        state.move(stale, "confirmed", actor="stripe", cause="second", now=deps.now())
    assert Reservation.get_by_id(stale.id).status == "cancelled"


def test_every_change_says_who_and_why(deps: Deps, make_reservation: Make) -> None:
    reservation = make_reservation()
    with transaction():
        state.move(reservation, "expired", actor="portal", cause="hold is over", now=deps.now())
    entry = rows(AuditLog)[-1]
    assert (entry.entity, entry.entity_id, entry.from_state, entry.to_state) == (
        "reservation",
        reservation.code,
        "pending",
        "expired",
    )
    assert (entry.actor, entry.cause, entry.at) == ("portal", "hold is over", deps.now())


def test_nights_are_taken_all_or_none(deps: Deps, make_reservation: Make) -> None:
    first = make_reservation(in_days=10, nights=3)
    second = make_reservation(in_days=13, nights=2)  # begins on the day the first ends
    with transaction():
        nights.free_nights(second)
        second.check_in = first.check_out - timedelta(days=1)
        assert not nights.take_nights(second)
    assert len(rows(RoomNight, reservation=second.id)) == 0
    assert len(rows(RoomNight, reservation=first.id)) == 3


def test_a_limit_counts_within_its_window(deps: Deps, clock: Clock) -> None:
    assert [throttle.hit(deps, LIMIT, "somebody") for _ in range(5)] == [True, True, True, False, False]
    assert throttle.hit(deps, LIMIT, "somebody else")
    clock.advance(minutes=10)
    assert throttle.hit(deps, LIMIT, "somebody")


def test_a_window_begins_at_its_very_second(deps: Deps, clock: Clock) -> None:
    seconds = LIMIT.window.total_seconds()
    clock.advance(seconds=seconds - clock.now().timestamp() % seconds - 1)  # one second before the next window
    assert [throttle.hit(deps, LIMIT, "somebody") for _ in range(4)] == [True, True, True, False]
    clock.advance(seconds=1)
    assert [throttle.hit(deps, LIMIT, "somebody") for _ in range(4)] == [True, True, True, False]
    clock.advance(seconds=seconds - 1)
    assert not throttle.hit(deps, LIMIT, "somebody")


def test_what_is_taken_back_too_late_or_too_often_gives_no_credit(deps: Deps, clock: Clock) -> None:
    throttle.hit(deps, LIMIT, "somebody")
    clock.advance(minutes=10)
    for _ in range(3):
        throttle.take_back(deps, LIMIT, "somebody")
    assert [throttle.hit(deps, LIMIT, "somebody") for _ in range(4)] == [True, True, True, False]


def test_limits_do_not_share_their_counts_and_a_count_is_taken_back_with_its_transaction(deps: Deps) -> None:
    other = replace(LIMIT, name="other")
    assert [throttle.hit(deps, limit, "x") for limit in (LIMIT, other) * 3] == [True] * 6
    with pytest.raises(RuntimeError, match="begin a transaction"):
        throttle.hit_inside(deps, LIMIT, "x")
    with pytest.raises(ZeroDivisionError), transaction():
        assert throttle.hit_inside(deps, other, "y") / 0
    assert [throttle.hit(deps, other, "y") for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize(
    ("address", "subject"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),  # as a server that listens on [::] sees it
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unix:", "unix:"),
    ],
)
def test_whom_an_address_stands_for(address: str, subject: str) -> None:
    assert throttle.subject_of_address(address) == subject


def test_a_hit_that_was_no_miss_is_taken_back(deps: Deps) -> None:
    for _ in range(10):
        assert throttle.hit(deps, LIMIT, "a guest who types well")
        throttle.take_back(deps, LIMIT, "a guest who types well")


def test_a_visitor_is_an_address_or_a_network_of_his_own(deps: Deps) -> None:
    assert throttle.subject_of_address("203.0.113.9") == "203.0.113.9"
    same = {throttle.subject_of_address(f"2001:db8:1:2::{host}") for host in ("1", "ffff", "a:b")}
    assert len(same) == 1
    assert throttle.subject_of_address("2001:db8:1:3::1") not in same
    throttle.hit(deps, LIMIT, "203.0.113.9")
    assert "203.0.113.9" not in rows(RateBucket)[0].key


def test_a_link_lives_until_30_days_after_check_out(deps: Deps, clock: Clock, make_reservation: Make) -> None:
    reservation = make_reservation(in_days=1, nights=1)
    token = links.make_link(deps, reservation).rsplit("/", 1)[1]
    clock.advance(days=32)
    assert links.find_by_token(deps, token) is not None
    clock.advance(days=1)
    assert links.find_by_token(deps, token) is None


@pytest.mark.parametrize(("zone", "hours"), [("Pacific/Kiritimati", -14), ("Pacific/Pago_Pago", 11), ("UTC", 0)])
def test_a_link_ends_at_midnight_at_the_hotel(
    zone: str, hours: int, deps: Deps, clock: Clock, make_reservation: Make
) -> None:
    hotels.set_hotel(timezone=zone)
    reservation = make_reservation(in_days=1, nights=1)
    token = links.make_link(deps, reservation).rsplit("/", 1)[1]
    midnight = datetime.combine(reservation.check_out + timedelta(days=31), time(), UTC) + timedelta(hours=hours)
    clock.move_to(midnight - timedelta(seconds=1))
    assert links.find_by_token(deps, token) == reservation
    clock.advance(seconds=1)
    assert links.find_by_token(deps, token) is None


def test_a_link_survives_a_new_key_and_ends_with_its_version(deps: Deps, make_reservation: Make) -> None:
    reservation = make_reservation()
    token = links.make_link(deps, reservation).rsplit("/", 1)[1]
    rotated = replace(deps, settings=replace(deps.settings, secret_keys=("n" * 32, *deps.settings.secret_keys)))
    assert links.find_by_token(rotated, token) == reservation
    new = links.make_link(rotated, reservation).rsplit("/", 1)[1]
    assert links.find_by_token(deps, new) is None  # signed with the new key, which the old settings do not know
    with transaction():
        Reservation.update(link_version=2).where(Reservation.id == reservation.id).execute()
    assert links.find_by_token(deps, token) is None
    for garbled in ("", "x", token[:-1], token + "A", "é" * 50, "A" * 5000):
        assert links.find_by_token(deps, garbled) is None


def test_one_line_for_a_cause_until_a_person_closes_it(deps: Deps) -> None:
    for _ in range(3):
        with transaction():
            alerts.raise_alert("dispute", "dp_1", now=deps.now())
    (alert,) = alerts.open_alerts()
    with pytest.raises(ValueError, match="why"):
        alerts.close_alert(alert.id, actor="Rita", why=" ", now=deps.now())
    alerts.close_alert(alert.id, actor="Rita", why="answered", now=deps.now())
    with pytest.raises(LookupError):
        alerts.close_alert(alert.id, actor="Rita", why="again", now=deps.now())
    with transaction():
        alerts.raise_alert("dispute", "dp_1", now=deps.now())
    assert len(rows(Alert)) == 2
    assert len(alerts.open_alerts()) == 1


def test_a_job_is_one_workers_at_a_time(deps: Deps, clock: Clock) -> None:
    minute = timedelta(minutes=1)
    assert jobs.take_lease(deps, "sweep", "first", minute)
    assert not jobs.take_lease(deps, "sweep", "second", minute)
    clock.advance(seconds=60)
    assert jobs.take_lease(deps, "sweep", "second", minute)
    assert jobs.take_lease(deps, "another", "first", minute)


def test_a_lease_is_free_at_the_very_end_of_its_time_and_not_before(deps: Deps, clock: Clock) -> None:
    assert leases.take_lease(deps, "sweep", "first", timedelta(minutes=1))
    clock.advance(seconds=59)
    assert not leases.take_lease(deps, "sweep", "first", timedelta(minutes=1))  # not even its owner
    clock.advance(seconds=1)
    assert leases.take_lease(deps, "sweep", "first", timedelta(minutes=1))


def test_a_worker_is_alive_for_some_minutes_after_it_has_shown_itself(deps: Deps, clock: Clock) -> None:
    assert not leases.worker_is_alive(deps)
    for owner in ("first", "second"):
        leases.take_heartbeat(deps, owner)
        assert rows(Lease)[0].owner == owner
    clock.advance(seconds=299)
    assert leases.worker_is_alive(deps)
    clock.advance(seconds=1)
    assert not leases.worker_is_alive(deps)


def test_a_stay_that_is_part_paid_never_expires_by_itself(deps: Deps, clock: Clock, make_reservation: Make) -> None:
    reservation = make_reservation()
    with transaction():
        Reservation.update(paid=1000).where(Reservation.id == reservation.id).execute()
    clock.advance(hours=25)
    for _ in range(2):
        assert holds.release_overdue_holds(deps) == 0
    assert Reservation.get_by_id(reservation.id).status == "pending"
    assert [alert.kind for alert in alerts.open_alerts()] == ["part paid, hold over"]


def test_old_events_and_old_counts_are_forgotten(deps: Deps, clock: Clock) -> None:
    for number, done in ((1, True), (2, False)):
        WebhookEvent.create(
            event_id=f"evt_{number}", type="x", created=deps.now(), livemode=False, payload_hash="", received_at=deps.now(),
            processed_at=deps.now() if done else None, result="success" if done else "error",
        )  # fmt: skip
    with transaction():
        alerts.raise_alert("webhook event keeps failing", "evt_2", now=deps.now())
    throttle.hit(deps, LIMIT, "somebody")
    clock.advance(days=91)
    assert webhook_events.forget_old(deps) == 1
    assert [event.event_id for event in rows(WebhookEvent)] == ["evt_2"]
    assert throttle.forget_old(deps) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"timezone": "Lisbon"}, {"timezone": "../etc"}, {"timezone": "Europe"}, {"timezone": ""}, {"timezone": "Europe/Lisbon "},
        {"timezone": "localtime"}, {"timezone": "x" * 300}, {"currency": "ISK"}, {"currency": "eur"}, {"currency": ""}, {"name": " "},
        {"rooms": "x"}, {"city": "Lis\0bon"}, {"address": "\udcff"}, {"phone": "1" * 201},
    ],
)  # fmt: skip
def test_a_hotel_that_cannot_be_is_refused(values: dict[str, str], deps: Deps) -> None:
    before = hotels.get_hotel().__data__
    with pytest.raises(hotels.BadHotel, match=next(iter(values))):
        hotels.set_hotel(**values)
    assert hotels.get_hotel().__data__ == before
