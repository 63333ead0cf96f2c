"""Asking for a new link: always the same answer, and pages promise only mails that come."""

from collections.abc import Callable

from portal import jobs
from portal.deps import Deps
from portal.models import OutgoingMail, Reservation
from stripe_simulator import Control
from tests.actors import Clock, Guest, LivePortal, rows, session_of
from tests.mailbox import Mailbox, text_of
from tests.pages import Page

Make = Callable[..., Reservation]


def ask(guest: Guest, email: str) -> Page:
    guest.goes_to("/")
    return guest.sends("/link", link_email=email)


def test_the_answer_is_the_same_whether_there_is_a_stay_or_not(
    mailbox: Mailbox, guest: Guest, deps: Deps, make_reservation: Make
) -> None:
    reservation = make_reservation()
    hit, miss = ask(guest, "  INES@Carvalho.example "), ask(guest, "nobody@carvalho.example")
    assert (hit.status, hit.html) == (miss.status, miss.html)
    assert hit.status == 200
    jobs.run_once(deps)
    (mail,) = mailbox.taken
    assert mail["To"] == reservation.email
    assert "/l/" in text_of(mail)


def test_asking_often_sends_one_mail_an_hour(
    mailbox: Mailbox, guest: Guest, deps: Deps, clock: Clock, make_reservation: Make
) -> None:
    make_reservation(hold_hours=200)
    clock.advance(minutes=60 - deps.now().minute)
    for _ in range(3):
        assert ask(guest, "ines@carvalho.example").status == 200
        jobs.run_once(deps)
    assert len(mailbox.taken) == 1
    clock.advance(hours=1)
    ask(guest, "ines@carvalho.example")
    jobs.run_once(deps)
    assert len(mailbox.taken) == 2


def test_at_most_five_stays_the_newest_and_none_that_is_over(
    mailbox: Mailbox, guest: Guest, deps: Deps, clock: Clock, make_reservation: Make
) -> None:
    over = make_reservation(in_days=1, nights=1)
    clock.advance(days=40)
    stays = [make_reservation(in_days=10 * number) for number in range(1, 8)]
    ask(guest, "ines@carvalho.example")
    queued = {mail.reservation_id for mail in rows(OutgoingMail)}
    assert queued == {stay.id for stay in stays[2:]}
    assert over.id not in queued


def test_one_visitor_is_throttled(mailbox: Mailbox, guest: Guest, deps: Deps) -> None:
    assert [ask(guest, f"guest{n}@mail.example").status for n in range(7)] == [200] * 5 + [429] * 2


def test_what_is_no_address_is_told(mailbox: Mailbox, guest: Guest, deps: Deps) -> None:
    for typed in ("", "nobody", "a@b.example\x07", "a@" + "b" * 300):
        page = ask(guest, typed)
        assert page.status == 400
        assert "There is a problem" in page.text
    assert rows(OutgoingMail) == []


def test_without_a_mail_server_it_is_not_offered(portal: LivePortal, guest: Guest) -> None:
    page = guest.goes_to("/")
    assert page.forms("/link") == []
    token = page.fields(page.forms("/find")[0])["csrf_token"]
    answer = guest.browser.post(f"{portal.url}/link", data={"csrf_token": token, "link_email": "a@b.example"})
    assert answer.status_code == 404


def pay(guest: Guest, stripe: Control, reservation: Reservation) -> Page:
    guest.opens_link(reservation)
    stripe.pay(session_of(guest.presses_pay()))
    return guest.goes_to(f"/reservations/{reservation.code}/success")


def test_the_success_page_promises_the_mail_that_comes(
    mailbox: Mailbox, guest: Guest, deps: Deps, stripe: Control, make_reservation: Make
) -> None:
    page = pay(guest, stripe, reservation := make_reservation())
    assert "We send a confirmation to ines@carvalho.example." in page.text
    mailbox.recipients = "550 no such user"
    jobs.run_once(deps)
    page = guest.goes_to(f"/reservations/{reservation.code}/success")
    assert "We send" not in page.text


def test_without_a_mail_server_no_page_promises_a_mail(guest: Guest, stripe: Control, make_reservation: Make) -> None:
    reservation = make_reservation()
    pages = [guest.opens_link(reservation), pay(guest, stripe, reservation), guest.goes_to("/l/nonsense")]
    for page in pages:
        assert "e-mail you" not in page.text
        assert "We send" not in page.text
        assert "new link" not in page.text
