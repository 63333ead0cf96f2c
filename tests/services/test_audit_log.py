"""The audit log is the whole story: replayed, it gives the state that every row has now."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

from portal import jobs
from portal.deps import Deps
from portal.domain import states
from portal.models import AuditLog, Payment, Refund, Reservation, RoomNight
from portal.services import cancellations, checkout, checkout_sessions, payments
from portal.services.checkout import GoToStripe
from stripe_simulator import Control
from tests.actors import Clock, names_of, rows, session_of

Make = Callable[..., Reservation]
EDGES = {"reservation": states.RESERVATION, "payment": states.PAYMENT, "refund": states.REFUND}


def pays(deps: Deps, stripe: Control, reservation: Reservation, card: str = "4242424242424242") -> None:
    """Press Pay, try a card, come back."""
    target = checkout.start_checkout(deps, reservation.id, actor="guest")
    assert isinstance(target, GoToStripe)
    stripe.pay(session_of(target.url), card)
    newest = payments.newest(reservation)
    assert newest is not None
    checkout_sessions.ask(deps, newest, cause="guest came back")


def replayed() -> dict[tuple[str, str], str]:
    """The last state of each thing, having walked its whole story along allowed edges only."""
    stories: dict[tuple[str, str], list[AuditLog]] = {}
    for entry in rows(AuditLog):
        stories.setdefault((entry.entity, entry.entity_id), []).append(entry)
    for (entity, _), story in stories.items():
        assert story[0].from_state is None
        for before, after in pairwise(story):
            assert after.from_state == before.to_state
            assert states.may_move(EDGES[entity], after.from_state, after.to_state)
            assert after.at >= before.at
        assert all(entry.actor and entry.cause for entry in story)
    return {thing: story[-1].to_state for thing, story in stories.items()}


def standing() -> dict[tuple[str, str], str]:
    """What the rows say now."""
    return {
        **{("reservation", row.code): row.status for row in rows(Reservation)},
        **{("payment", row.public_id): row.status for row in rows(Payment)},
        **{("refund", row.public_id): row.status for row in rows(Refund)},
    }


def test_the_log_of_an_eventful_season_tells_how_everything_ended(
    deps: Deps, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    stripe.webhooks("off")
    paid, twice, cancelled, left, late = (make_reservation(in_days=20 + 4 * n) for n in range(5))
    pays(deps, stripe, paid, "4000000000000002")
    clock.advance(seconds=30)
    pays(deps, stripe, paid)
    pays(deps, stripe, twice)
    stripe.charge_elsewhere(twice.total, metadata=names_of(twice, "PAY-SECOND"))
    pays(deps, stripe, cancelled)
    clock.advance(seconds=30)
    quote = cancellations.quote(deps, Reservation.get_by_id(cancelled.id))
    cancellations.cancel(deps, cancelled.id, percent=quote.percent, due=quote.due, actor="guest")
    checkout.start_checkout(deps, left.id, actor="guest")
    assert replayed() == standing()

    clock.advance(hours=25)
    for _ in range(3):
        jobs.run_once(deps)
        clock.advance(minutes=10)
        assert replayed() == standing()
    now = {row.id: row.status for row in rows(Reservation)}
    assert [now[row.id] for row in (paid, twice, cancelled, left, late)] == [
        *("confirmed", "confirmed", "cancelled", "expired", "expired"),
    ]
    owners = {night.reservation_id for night in rows(RoomNight)}
    assert owners == {paid.id, twice.id}


def test_an_entry_has_the_instant_of_the_injected_clock_and_no_personal_data(
    deps: Deps, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    clock.advance(days=3)
    reservation = make_reservation()
    pays(deps, stripe, reservation)
    assert {entry.at for entry in rows(AuditLog)} == {clock.now()}
    text = repr([entry.__data__ for entry in rows(AuditLog)])
    assert reservation.email not in text
    assert reservation.guest_name not in text


def test_what_stripe_answers_is_stamped_by_the_injected_clock(
    deps: Deps, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    clock.advance(days=40)
    reservation = make_reservation()
    pays(deps, stripe, reservation)
    (payment,) = rows(Payment)
    assert abs(payment.completed_at - clock.now()) < timedelta(minutes=1)
