"""What holds for all actions: who may, what cannot be done and why, odd addresses, and removing a guest's data."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from flask import session

from portal import create_app, jobs
from portal.db import transaction
from portal.deps import Deps
from portal.domain import money
from portal.models import Hotel, Note, OutgoingMail, Payment, Reservation
from portal.services import anonymise, links, staff_sessions
from portal.services.alerts import raise_alert
from portal.web.staff.actions import ACTIONS, available
from tests.actors import Clock, everything_stored, rows
from tests.mailbox import Mailbox
from tests.refunds.hotel import FAILS_LATER, SUCCEEDS_LATER, Hotelier
from tests.staff.desk import Desk, fields_of, hire
from tests.staff.test_actions import audited, opens, presses

Make = Callable[..., Reservation]

FOR_MANAGERS = ("anonymise", "cancel-other")


def test_looking_at_an_action_changes_nothing_and_never_fails(
    reception: Desk, manager: Desk, hotel: Hotelier, make_reservation: Make
) -> None:
    pending, confirmed = make_reservation(), make_reservation(room="River room")
    hotel.is_paid(confirmed)
    hotel.opens_session(pending)
    before = everything_stored()
    for stay in (pending, confirmed):
        for name in ACTIONS:
            for desk in (reception, manager):
                page = opens(desk, stay, name)
                assert page.status in ((403,) if desk is reception and name in FOR_MANAGERS else (200, 409)), name
                assert page.status != 409 or "This cannot be done now." in page.text
    after = everything_stored()
    assert {name for name in before if before[name] != after[name]} <= {"StaffSession"}


def test_odd_addresses_and_forms_are_answered(reception: Desk, hotel: Hotelier, make_reservation: Make) -> None:
    stay = make_reservation()
    hotel.is_paid(stay)
    for path in (
        f"{stay.code}/actions/nonsense",
        "AAAABBBBCCCC/actions/cancel",
        "%00/actions/cancel",
        f"{stay.code}/actions/refund?of=PAY-NOTTHERE",
        f"{stay.code}/actions/refund?of=%00",
        f"{stay.code}/actions/retry-refund?of={'REF-' + 'Z' * 500}",
    ):
        assert reception.goes_to(f"/staff/reservations/{path}").status == 404, path
    other = make_reservation(room="River room")
    (payment,) = rows(Payment)
    assert opens(reception, other, "refund", payment.public_id).status == 404, "another stay's payment"
    for name in ACTIONS:
        if opens(reception, stay, name).status != 200:
            continue
        (form,) = reception.page.forms("/sign-out")
        token = reception.page.fields(form)["csrf_token"]
        odd = {"csrf_token": token, "shown": "\x00\ud83d\ude00".encode("utf-8", "surrogatepass"), "amount": "\x00١٢"}
        odd |= {"hours": "x", "until": "never", "reason": "<b>", "how": "\x00", "code": "\x00"}
        answer = reception.browser.post(reception.page.url, data=odd)
        assert answer.status_code in (400, 409), (name, answer.status_code)
    assert hotel.sent() == []


def test_a_link_cannot_be_sent_without_mail(reception: Desk, make_reservation: Make) -> None:
    stay = make_reservation()
    page = opens(reception, stay, "send-link")
    assert (page.status, "E-mail is switched off" in page.text) == (409, True)
    opens(reception, stay, "revoke-links")
    assert presses(reception, "revoke-links", send_new="y").status == 400
    assert presses(reception, "revoke-links").status == 400, "the box is still ticked"
    assert Reservation.get_by_id(stay.id).link_version == 1


def test_only_managers_remove_a_guests_data_and_only_when_all_is_over(
    reception: Desk, manager: Desk, hotel: Hotelier, clock: Clock, mailbox: Mailbox, make_reservation: Make
) -> None:
    stay = make_reservation(in_days=2)
    hotel.is_paid(stay, SUCCEEDS_LATER)
    Note.create(reservation=stay, staff=manager.person, text="Likes Inês's jam", created_at=clock.now())
    assert opens(reception, stay, "anonymise").status == 403
    assert "has not checked out" in opens(manager, stay, "anonymise").text
    hotel.cancels(stay, actor="staff", other=1_000)
    clock.advance(days=6)
    manager = Desk(manager.portal_url, manager.deps, "manager")
    assert "A refund is still on its way" in opens(manager, stay, "anonymise").text
    hotel.works()
    hotel.hears()
    assert "less than 30 days old" in opens(manager, stay, "anonymise").text
    clock.advance(days=31)
    manager = Desk(manager.portal_url, manager.deps, "manager")
    old = links.make_link(hotel.deps, stay)
    opens(manager, stay, "anonymise")
    assert presses(manager, "anonymise", code="AAAA").status == 400
    assert "was removed" in presses(manager, "anonymise", code=stay.code.lower()).text
    row = Reservation.get_by_id(stay.id)
    assert (row.guest_name, row.phone, row.link_version) == (anonymise.NAME, "", 2)
    assert row.email == f"{stay.code.lower()}@anonymised.invalid"
    assert links.find_by_token(hotel.deps, old.rsplit("/", 1)[-1]) is None
    stored = repr(everything_stored())
    for word in (stay.guest_name, stay.email, stay.phone or stay.email, "jam"):
        assert word not in stored
    assert {mail.recipient for mail in rows(OutgoingMail, reservation=stay.id)} == {row.email}
    assert jobs.run_once(hotel.deps)["forget guests of long ago"] == 0, "it is done already"
    assert audited(stay)[-1] == (f"staff {manager.person.id}", "anonymised")
    assert opens(manager, stay, "anonymise").status == 409
    hotel.books_are_right()


def test_a_guests_data_stays_while_something_needs_attention(
    manager: Desk, hotel: Hotelier, clock: Clock, make_reservation: Make
) -> None:
    stay = make_reservation(in_days=2)
    hotel.is_paid(stay, FAILS_LATER)
    hotel.cancels(stay, actor="staff", other=1_000)
    clock.advance(days=3)
    hotel.hears()
    later = replace(hotel.deps, now=lambda: clock.now())
    clock.advance(days=60)
    assert anonymise.why_not(later, Reservation.get_by_id(stay.id)) == "alert"
    manager = Desk(manager.portal_url, manager.deps, "manager")
    assert "still needs attention" in opens(manager, stay, "anonymise").text


def test_two_clicks_at_the_same_moment_refund_once(reception: Desk, hotel: Hotelier, make_reservation: Make) -> None:
    stay = make_reservation()
    payment = hotel.is_paid(stay)
    opens(reception, stay, "refund")
    presses(reception, "refund", payment.public_id, amount="100", reason="goodwill")
    (form,) = reception.page.forms(f"?of={payment.public_id}")
    address, data = reception._url(form.get("action", "")), fields_of(form)

    def press(_: int) -> int:
        desk = Desk(reception.portal_url, reception.deps, None)
        desk.browser.cookies.update(reception.browser.cookies)
        return desk.browser.post(address, data=data, allow_redirects=False).status_code

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(press, range(4)))
    assert answers == [303, 409, 409, 409]
    assert [amount for _, amount, _ in hotel.sent()] == [10_000]


def test_the_reservations_page_offers_what_can_be_done_now(deps: Deps, hotel: Hotelier, make_reservation: Make) -> None:
    app = create_app(deps.settings, deps)
    stay = make_reservation()

    def offered(role: str) -> set[str]:
        token = staff_sessions.start(deps, hire(deps, role))
        with app.test_request_context("/staff/"):
            session["token"] = token
            return {link.name for link in available(Reservation.get_by_id(stay.id))}

    waiting = {"copy-link", "revoke-links", "record-payment", "extend-hold", "grant-attempt", "cancel"}
    assert offered("reception") == waiting, "e-mail is switched off, and nothing was paid"
    hotel.is_paid(stay)
    paid = {"copy-link", "revoke-links", "check-with-stripe", "refund", "cancel"}
    assert offered("reception") == paid
    assert offered("manager") == {*paid, "cancel-other"}
    hotel.cancels(stay)
    hotel.works(days=70)
    assert offered("reception") == {"check-with-stripe"}
    assert offered("manager") == {"check-with-stripe", "anonymise"}


@pytest.mark.parametrize(
    ("typed", "minor"),
    [("562.50", 56_250), ("562,5", 56_250), (" €562 ", 56_200), ("0", 0), ("1,125.00", None), ("1.125", None)],
)
def test_sums_are_read_as_people_type_them(typed: str, minor: int | None) -> None:
    assert money.read_sum(typed, "EUR") == minor
    assert money.read_sum("562", "JPY") == 562
    assert {money.read_sum(odd, "EUR") for odd in ("", ".", ".5", "-1", "١", "1e3", "1_0", "9" * 10)} == {None}


def test_guests_of_long_ago_are_forgotten_by_themselves_once_nothing_is_open(
    hotel: Hotelier, clock: Clock, make_reservation: Make
) -> None:
    gone, open_still = make_reservation(in_days=2), make_reservation(in_days=2, room="River room")
    hotel.is_paid(gone)
    hotel.is_paid(open_still)
    with transaction():
        raise_alert("mail bounced", "a mail", now=clock.now(), reservation=open_still)
    clock.advance(days=5 + 730)
    assert anonymise.forget_old_guests(hotel.deps) == 0, "730 days after check-out, to the day, they are kept"
    clock.advance(days=1)
    assert anonymise.forget_old_guests(hotel.deps) == 1
    assert Reservation.get_by_id(gone.id).guest_name == anonymise.NAME
    assert Reservation.get_by_id(open_still.id).guest_name == open_still.guest_name
    Hotel.update(retention_days=30).execute()
    assert anonymise.forget_old_guests(hotel.deps) == 0
    hotel.books_are_right()
