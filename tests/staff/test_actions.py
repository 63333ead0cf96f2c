"""What staff do to a reservation: each action's story, with what the guest, the books and Stripe see of it."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest

from portal.gateways.stripe_gateway import StripeRefused
from portal.models import Alert, AuditLog, OutgoingMail, Payment, Refund, Reservation, RoomNight
from portal.services import links, offline_payments, sweeps
from stripe_simulator import Control
from tests.actors import Clock, Guest, rows
from tests.mailbox import Mailbox
from tests.pages import Page
from tests.refunds.hotel import FAILS_LATER, WHOLE, Hotelier, alerts, refunds_of, status
from tests.staff.desk import PASSWORD, Desk

Make = Callable[..., Reservation]
HALF = 56_250


def opens(desk: Desk, stay: Reservation, name: str, of: str = "") -> Page:
    return desk.goes_to(f"/staff/reservations/{stay.code}/actions/{name}" + (f"?of={of}" if of else ""))


def presses(desk: Desk, name: str, of: str = "", **values: str) -> Page:
    return desk.submits(f"/actions/{name}" + (f"?of={of}" if of else ""), **values)


def is_paid(hotel: Hotelier, stay: Reservation, card: str = "4242424242424242") -> Payment:
    """By card, and the worker has learnt which."""
    payment = hotel.is_paid(stay, card)
    sweeps.learn_cards(hotel.deps)
    return payment


def audited(stay: Reservation) -> list[tuple[str, str]]:
    """Who did what to the stay, without what the portal did by itself."""
    mine = rows(AuditLog, entity="reservation", entity_id=stay.code)
    return [(row.actor, row.cause) for row in mine if row.actor.startswith("staff ")]


def mails(kind: str) -> int:
    return len(rows(OutgoingMail, kind=kind))


def test_cancelling_by_the_policy_shows_the_sum_and_does_it_once(
    reception: Desk, hotel: Hotelier, mailbox: Mailbox, make_reservation: Make
) -> None:
    stay = make_reservation(in_days=10)
    is_paid(hotel, stay)
    page = opens(reception, stay, "cancel")
    assert "€562.50 goes back to Visa ending 4242." in page.text
    assert "50% of €1,125.00" in page.text
    assert "The room is free again" in page.text
    assert "The guest is e-mailed that the stay is cancelled" in page.text
    assert status(stay) == ("confirmed", WHOLE), "looking changes nothing"
    form = reception.page
    done = presses(reception, "cancel")
    assert (done.status, done.url.rsplit("/", 1)[-1]) == (200, stay.code)
    assert "The stay is cancelled. €562.50 is on its way to the card." in done.text
    assert status(stay)[0] == "cancelled"
    assert [(amount, state) for _, amount, state in hotel.sent()] == [(HALF, "succeeded")]
    assert (rows(RoomNight), mails("cancelled")) == ([], 1)
    assert [who for who, _ in audited(stay)] == [f"staff {reception.person.id}"]
    reception.page = form  # the same form, sent once more
    again = presses(reception, "cancel")
    assert (again.status, "cancelled already" in again.text) == (409, True)
    assert (len(hotel.sent()), mails("cancelled")) == (1, 1)
    hotel.hears()
    hotel.books_are_right()


def test_a_sum_that_changed_meanwhile_is_shown_and_asked_again(
    reception: Desk, hotel: Hotelier, clock: Clock, make_reservation: Make
) -> None:
    stay = make_reservation(in_days=14)
    is_paid(hotel, stay)
    today = clock.now().astimezone(ZoneInfo("Europe/Lisbon")).replace(hour=23, minute=50)
    clock.move_to(today if today > clock.now() else clock.now())
    reception = Desk(reception.portal_url, reception.deps, "reception")
    assert "€1,125.00 goes back" in opens(reception, stay, "cancel").text
    clock.advance(minutes=20)
    page = presses(reception, "cancel", password=PASSWORD)
    assert (page.status, "€562.50 goes back" in page.text) == (409, True)
    assert "Nothing was done yet" in page.text
    assert (status(stay), hotel.sent()) == (("confirmed", WHOLE), [])
    assert "The stay is cancelled" in presses(reception, "cancel", password=PASSWORD).text
    assert refunds_of(stay) == [("policy", HALF, "succeeded")]


def test_another_sum_than_the_policys_needs_a_reason_and_above_it_a_manager(
    reception: Desk, manager: Desk, hotel: Hotelier, make_reservation: Make
) -> None:
    stay = make_reservation(in_days=10)
    is_paid(hotel, stay)
    assert opens(reception, stay, "cancel-other").status == 403, "the policy is what the guest was promised"
    assert "By the policy of this stay €562.50 goes back." in opens(manager, stay, "cancel-other").text
    page = presses(manager, "cancel-other", amount="200.00")
    assert (page.status, "Choose a reason" in page.text) == (400, True)
    page = presses(manager, "cancel-other", amount="1125.01", reason="goodwill")
    assert (page.status, "from €0.00 to €1,125.00" in page.text) == (400, True)
    for wrong in ("", "-1", "1,125.00", "abc", "1e3", "²", "9" * 40):
        assert presses(manager, "cancel-other", amount=wrong, reason="goodwill").status == 400
    opens(manager, stay, "cancel-other")
    page = presses(manager, "cancel-other", amount="900", reason="goodwill")
    assert (page.status, "€900.00 goes back to Visa ending 4242." in page.text) == (200, True)
    assert status(stay) == ("confirmed", WHOLE), "the first press only shows the effect"
    page = presses(manager, "cancel-other", amount="800,5")
    assert (page.status, "€800.50 goes back" in page.text) == (409, True), "the sum was changed after it was shown"
    assert "The stay is cancelled" in presses(manager, "cancel-other").text
    assert [amount for _, amount, _ in hotel.sent()] == [80_050]
    hotel.hears()
    hotel.books_are_right()


def test_a_refund_of_a_part_with_an_old_password_and_stripe_away(
    reception: Desk, hotel: Hotelier, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    stay = make_reservation()
    payment = is_paid(hotel, stay)
    of = payment.public_id
    clock.advance(minutes=11)
    opens(reception, stay, "refund")
    page = presses(reception, "refund", of, amount="100", reason="goodwill")
    assert "€100.00 goes back to Visa ending 4242." in page.text
    assert "The guest is not e-mailed." in page.text
    assert presses(reception, "refund", of).status == 403
    assert "Type your password" in reception.page.text
    page = presses(reception, "refund", of, password="not mine")
    assert (page.status, "That is not your password. Nothing was done." in page.text) == (403, True)
    assert rows(Refund) == []
    stripe.fault("500", path="/v1/refunds*", times=20)
    form = reception.page
    page = presses(reception, "refund", of, password=PASSWORD)
    assert "€100.00 is stored, but Stripe has not taken it yet: the worker will send it." in page.text
    reception.page = form
    assert presses(reception, "refund", of).status == 409, "less can go back than was shown"
    assert len(rows(Refund)) == 1
    stripe.clear_faults()
    hotel.works(minutes=20)
    assert [(amount, state) for _, amount, state in hotel.sent()] == [(10_000, "succeeded")]
    assert status(stay) == ("confirmed", WHOLE)
    hotel.hears()
    hotel.books_are_right()


def test_a_refund_that_failed_is_sent_again_once(reception: Desk, hotel: Hotelier, make_reservation: Make) -> None:
    stay = make_reservation()
    is_paid(hotel, stay, FAILS_LATER)
    assert opens(reception, stay, "retry-refund").status == 409
    hotel.cancels(stay)
    hotel.clock.advance(days=3)
    hotel.hears()
    reception = Desk(reception.portal_url, reception.deps, "reception")
    (failed,) = rows(Refund)
    page = opens(reception, stay, "retry-refund")
    assert "€1,125.00 goes back to Visa ending 5126." in page.text
    assert "€1,125.00 is on its way" in presses(reception, "retry-refund", failed.public_id).text
    assert [state for _, _, state in hotel.sent()] == ["failed", "succeeded"]
    page = opens(reception, stay, "retry-refund", failed.public_id)
    assert (page.status, "sent again already" in page.text) == (409, True)
    hotel.stripe.move_refund(hotel.stripe.truth()["refunds"][1]["id"], "succeeded")
    hotel.hears()
    hotel.books_are_right()


def test_a_failed_refund_that_was_settled_otherwise_is_a_managers_word(
    reception: Desk, manager: Desk, guest: Guest, hotel: Hotelier, make_reservation: Make
) -> None:
    stay = make_reservation()
    is_paid(hotel, stay, FAILS_LATER)
    hotel.cancels(stay)
    hotel.clock.advance(days=3)
    hotel.hears()
    (failed,) = rows(Refund)
    reception, manager = (Desk(reception.portal_url, reception.deps, role) for role in ("reception", "manager"))
    assert opens(reception, stay, "refund-handed-back").status == 403
    page = opens(manager, stay, "refund-handed-back")
    assert "The portal moves no money." in page.text
    assert presses(manager, "refund-handed-back", failed.public_id).status == 400
    presses(manager, "refund-handed-back", failed.public_id, how="bank transfer")
    assert refunds_of(stay) == [("policy", WHOLE, "failed"), ("staff", WHOLE, "succeeded")]
    settled = rows(Refund)[-1]
    assert (settled.provider, settled.retry_of_id, settled.reason) == ("offline", failed.id, "bank transfer")
    (alert,) = rows(Alert, kind="refund failed")
    assert (alert.closed_by, alert.why_closed) == (f"staff {manager.person.id}", "bank transfer")
    assert opens(manager, stay, "refund-handed-back", failed.public_id).status == 409
    assert opens(manager, stay, "retry-refund", failed.public_id).status == 409
    assert len(hotel.sent()) == 1
    guest.opens_link(stay)
    note = guest.goes_to(f"/reservations/{stay.code}/refunds/{settled.public_id}/credit-note")
    assert "handed back by the hotel" in note.text
    hotel.books_are_right()


def test_a_gift_after_the_cancellation_takes_nothing_off_what_was_promised(
    manager: Desk, reception: Desk, hotel: Hotelier, stripe: Control, make_reservation: Make
) -> None:
    stay = make_reservation(in_days=10)
    payment = is_paid(hotel, stay)
    stripe.fault("500", path="/v1/refunds*", times=20)
    hotel.cancels(stay)
    assert refunds_of(stay)[0][2] in ("todo", "sent"), "Stripe is away"
    hotel.clock.advance(minutes=1)
    assert opens(reception, stay, "refund", payment.public_id).status == 403, "more than the policy is for managers"
    opens(manager, stay, "refund", payment.public_id)
    presses(manager, "refund", payment.public_id, amount="100.00", reason="goodwill")
    presses(manager, "refund", payment.public_id)
    stripe.clear_faults()
    hotel.works_until_quiet(14)
    assert sorted((amount, state) for _, amount, state in hotel.sent()) == [(10_000, "succeeded"), (HALF, "succeeded")]
    hotel.hears()
    hotel.books_are_right()


def test_a_refund_that_stripe_refuses_can_be_given_in_another_way(
    manager: Desk, hotel: Hotelier, monkeypatch: pytest.MonkeyPatch, make_reservation: Make
) -> None:
    stay = make_reservation(in_days=30)
    is_paid(hotel, stay)

    def refuses(*_: object) -> object:
        raise StripeRefused("charge_is_too_old")

    with monkeypatch.context() as trouble:
        trouble.setattr(hotel.deps.stripe, "create_refund", refuses)
        hotel.cancels(stay)
        (refused,) = rows(Refund)
        assert opens(manager, stay, "refund-handed-back", refused.public_id).status == 409, "it may be on its way"
        hotel.clock.advance(minutes=6)
        manager = Desk(manager.portal_url, hotel.deps, "manager")
        assert "Stripe refused a refund" in manager.goes_to(f"/staff/reservations/{stay.code}").text
        page = opens(manager, stay, "refund-handed-back", refused.public_id)
        assert "which Stripe refuses, is given up and not tried again" in page.text
        done = presses(manager, "refund-handed-back", refused.public_id, how="bank transfer")
        assert "The guest has the money" in done.text
    assert [(row.provider, row.amount, row.status) for row in rows(Refund)] == [
        ("stripe", WHOLE, "canceled"),
        ("offline", WHOLE, "succeeded"),
    ]
    assert rows(Alert, closed_at=None) == []
    hotel.works(hours=13)
    assert hotel.sent() == [], "Stripe is not asked again"
    hotel.books_are_right()


def test_cash_taken_while_a_payment_page_is_open_and_handed_back_later(
    reception: Desk, hotel: Hotelier, make_reservation: Make
) -> None:
    stay = make_reservation()
    session = hotel.opens_session(stay)
    opens(reception, stay, "record-payment")
    page = presses(reception, "record-payment", amount="1124.80")
    assert (page.status, "€0.20 would be left, and by card at least €0.50 is paid." in page.text) == (400, True)
    page = presses(reception, "record-payment", amount="1125")
    assert "The stay is paid and confirmed." in page.text
    assert "open payment page at Stripe is closed" in page.text
    form = reception.page
    assert "€1,125.00 is recorded." in presses(reception, "record-payment").text
    assert hotel.stripe.pay(session)["status"] == "not_open"
    reception.page = form
    assert presses(reception, "record-payment").status == 409
    assert [row.amount for row in rows(Payment, provider="offline")] == [WHOLE]
    assert status(stay) == ("confirmed", WHOLE)
    page = opens(reception, stay, "cancel")
    assert "€1,125.00 was paid in cash or by transfer: you hand it back" in page.text
    assert "Hand €1,125.00 back" in presses(reception, "cancel").text
    (refund,) = rows(Refund)
    assert alerts() == ["hand the cash back"]
    opens(reception, stay, "refund-handed-back")
    presses(reception, "refund-handed-back", refund.public_id, how="cash")
    assert (refunds_of(stay), alerts()) == ([("policy", WHOLE, "succeeded")], [])
    hotel.hears()
    hotel.books_are_right()


def test_the_private_link_is_sent_shown_and_revoked(
    reception: Desk, guest: Guest, mailbox: Mailbox, make_reservation: Make
) -> None:
    stay = make_reservation()
    opens(reception, stay, "send-link")
    form = reception.page
    assert "on its way" in presses(reception, "send-link").text
    reception.page = form
    assert (presses(reception, "send-link").status, mails("private_link")) == (409, 1)
    opens(reception, stay, "copy-link")
    assert presses(reception, "copy-link").title == "The private link"
    link = value_in(reception.page, "link")
    assert links.find_by_token(reception.deps, link.rsplit("/", 1)[-1]) == stay
    guest.opens_link(stay)
    old = links.make_link(guest.deps, stay)
    opens(reception, stay, "revoke-links")
    presses(reception, "revoke-links", send_new="y")
    assert links.find_by_token(reception.deps, old.rsplit("/", 1)[-1]) is None
    assert mails("private_link") == 2
    who = f"staff {reception.person.id}"
    assert audited(stay) == [(who, "link sent"), (who, "link shown"), (who, "links revoked")]


def value_in(page: Page, field_id: str) -> str:
    field = page.root.find(f".//input[@id='{field_id}']")
    assert field is not None
    return str(field.get("value"))


def test_a_hold_is_extended_lost_and_given_again(
    reception: Desk, hotel: Hotelier, clock: Clock, make_reservation: Make
) -> None:
    stay = make_reservation()
    hotel.opens_session(stay)
    opens(reception, stay, "extend-hold")
    soon = (clock.now().astimezone()).strftime("%Y-%m-%dT%H:%M")
    for wrong in (
        {"hours": "0"},
        {"hours": "337"},
        {"hours": "9" * 5000},
        {"until": soon},
        {"until": "0001-01-01T00:00"},
    ):
        assert presses(reception, "extend-hold", **{"hours": "", **wrong}).status == 400
    assert presses(reception, "extend-hold", hours="", until="9999-12-31T23:59").status == 400
    page = presses(reception, "extend-hold", hours="48", until="")
    assert (page.status, "The room is held until" in page.text) == (200, True)
    presses(reception, "extend-hold")
    assert (Reservation.get_by_id(stay.id).hold_until - clock.now()).total_seconds() == 48 * 3600
    hotel.works(hours=49)
    hotel.works(minutes=1)
    assert status(stay) == ("expired", 0)
    reception = Desk(reception.portal_url, reception.deps, "reception")
    assert opens(reception, stay, "extend-hold").status == 409
    other = make_reservation(email="other@example.com", check_in=stay.check_in, check_out=stay.check_out)
    page = opens(reception, stay, "hold-again")
    assert (page.status, "Somebody else has the room by now for these nights" in page.text) == (409, True)
    hotel.cancels(other)
    opens(reception, stay, "hold-again")
    presses(reception, "hold-again", hours="24")
    assert "held again until" in presses(reception, "hold-again").text
    assert (status(stay), RoomNight.select().where(RoomNight.reservation == stay.id).count()) == (("pending", 0), 3)
    hotel.hears()
    hotel.books_are_right()


def test_more_attempts_and_stays_that_cost_nothing(reception: Desk, hotel: Hotelier, make_reservation: Make) -> None:
    stay = make_reservation()
    page = opens(reception, stay, "grant-attempt")
    assert "0 of 3 attempts are used" in page.text
    form = page
    presses(reception, "grant-attempt")
    reception.page = form
    assert presses(reception, "grant-attempt").status == 409
    assert Reservation.get_by_id(stay.id).extra_attempts == 1
    assert opens(reception, stay, "confirm-free").status == 409
    free = make_reservation(room="River room", lines=[])
    assert (free.total, free.status) == (0, "pending")
    assert "costs nothing" in opens(reception, free, "confirm-free").text
    assert "confirmed" in presses(reception, "confirm-free").text
    assert status(free) == ("confirmed", 0)
    hotel.books_are_right()


def test_stripe_is_asked_and_what_it_says_is_entered(
    reception: Desk, hotel: Hotelier, stripe: Control, make_reservation: Make
) -> None:
    stay = make_reservation()
    assert opens(reception, stay, "check-with-stripe").status == 409
    stripe.pay(hotel.opens_session(stay))
    stripe.fault("500", path="/v1/*", times=20)
    opens(reception, stay, "check-with-stripe")
    page = presses(reception, "check-with-stripe")
    assert (page.status, "Stripe cannot be reached now. Nothing was changed." in page.text) == (409, True)
    assert status(stay) == ("pending", 0)
    stripe.clear_faults()
    page = presses(reception, "check-with-stripe")
    assert "The books were brought in line. €1,125.00 is paid." in page.text
    assert status(stay) == ("confirmed", WHOLE)
    opens(reception, stay, "check-with-stripe")
    assert "The books agree with it." in presses(reception, "check-with-stripe").text
    hotel.hears()
    hotel.books_are_right()


def test_a_part_in_cash_leaves_two_payments_to_choose_from(
    reception: Desk, hotel: Hotelier, make_reservation: Make
) -> None:
    stay = make_reservation()
    cash = offline_payments.record_offline(hotel.deps, stay.id, 40_000, "test")
    card = is_paid(hotel, stay)
    page = opens(reception, stay, "refund")
    assert page.title == "Refund"
    reception.goes_to(page.link(cash.public_id))
    presses(reception, "refund", cash.public_id, amount="400", reason="charged twice")
    assert "Hand €400.00 back" in presses(reception, "refund", cash.public_id).text
    assert opens(reception, stay, "refund", card.public_id).status == 200
    assert opens(reception, stay, "refund", cash.public_id).status == 409, "all of it goes back already"
    assert hotel.sent() == []
