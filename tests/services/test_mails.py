"""What guests and staff are written, once for each cause, and that it says what the pages say."""

from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from icalendar import Calendar

from portal import jobs
from portal.db import transaction
from portal.deps import Deps
from portal.models import Alert, Hotel, OutgoingMail, Refund, Reservation
from portal.services import alerts, cancellations, hotels, mails
from portal.web import languages
from stripe_simulator import Control
from tests.actors import Clock, Guest, rows, session_of
from tests.mailbox import SENDER, STAFF, Mailbox, html_of, text_of

Make = Callable[..., Reservation]


def queue(deps: Deps, kind: str, cause: str, reservation: Reservation) -> None:
    with transaction():
        mails.queue(deps, kind, cause, reservation)


def pay(guest: Guest, stripe: Control, reservation: Reservation) -> None:
    guest.opens_link(reservation)
    stripe.pay(session_of(guest.presses_pay()))
    stripe.deliver()


def cancel(deps: Deps, reservation: Reservation) -> None:
    quote = cancellations.quote(deps, Reservation.get_by_id(reservation.id))
    cancellations.cancel(deps, reservation.id, percent=quote.percent, due=quote.due, actor="guest")


def only(mailbox: Mailbox, subject: str) -> EmailMessage:
    (mail,) = (mail for mail in mailbox.taken if mail["Subject"] == subject)
    return mail


def test_the_private_link_opens_the_stay(mailbox: Mailbox, deps: Deps, guest: Guest, make_reservation: Make) -> None:
    reservation = make_reservation(send_link=True)
    jobs.run_once(deps)
    (mail,) = mailbox.taken
    assert (mail["From"], mail["To"]) == (f"Casa do Limoeiro <{SENDER}>", reservation.email)
    assert mail["Reply-To"] == "stay@limoeiro.example"
    assert mailbox.envelopes == [(SENDER, [reservation.email])]
    text = text_of(mail)
    assert "Dear Inês Carvalho," in text
    assert "€1,125.00" in text
    link = next(line for line in text.splitlines() if "/l/" in line)
    page = guest.goes_to(link.removeprefix(deps.settings.public_base_url))
    assert page.reservation_status == "pending"


def test_text_and_html_say_the_same(mailbox: Mailbox, deps: Deps, make_reservation: Make) -> None:
    make_reservation(send_link=True)
    jobs.run_once(deps)
    (mail,) = mailbox.taken
    html = html_of(mail)
    assert '<html lang="en-GB" dir="ltr">' in html
    for line in text_of(mail).splitlines():
        words = line.removesuffix(":")
        assert words in html or f'href="{words}"' in html


def test_a_payment_is_confirmed_with_the_stay_for_the_calendar(
    mailbox: Mailbox, deps: Deps, guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    pay(guest, stripe, reservation)
    stripe.deliver()
    jobs.run_once(deps)
    jobs.run_once(deps)
    (mail,) = mailbox.taken
    assert mail["Subject"] == "Your room is confirmed"
    text = text_of(mail)
    for words in ("We received your payment of €1,125.00.", "ending 4242", "Receipt 2", "Full refund until"):
        assert words in text
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == ("stay.ics", "text/calendar")
    (event,) = Calendar.from_ical(file.get_content()).walk("VEVENT")
    assert (event["STATUS"], event.start.date()) == ("CONFIRMED", reservation.check_in)
    assert "/l/" not in file.get_content()


def test_a_confirmation_that_comes_after_the_cancellation_does_not_promise_a_room(
    mailbox: Mailbox, deps: Deps, guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    pay(guest, stripe, reservation)
    cancel(deps, reservation)
    jobs.run_once(deps)
    mail = only(mailbox, "We received your payment")
    assert "Your stay has been cancelled since then." in text_of(mail)
    assert "Your room is confirmed" not in text_of(mail)
    assert list(mail.iter_attachments()) == []


def test_a_cancellation_names_the_sum_the_card_and_the_days(
    mailbox: Mailbox, deps: Deps, guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation(in_days=10)
    pay(guest, stripe, reservation)
    jobs.run_once(deps)
    cancel(deps, reservation)
    jobs.run_once(deps)
    text = text_of(only(mailbox, "Your stay is cancelled"))
    (refund,) = rows(Refund)
    for words in ("You get back €562.50.", "€562.50 goes back to Visa ending 4242.", refund.public_id):
        assert words in text
    assert "Banks take 5 to 10 working days to show it. Expect it between " in text


@pytest.mark.parametrize(("paid", "words"), [(False, "You have not been charged."), (True, "nothing comes back")])
def test_a_cancellation_without_a_refund_says_why(
    mailbox: Mailbox, deps: Deps, guest: Guest, stripe: Control, make_reservation: Make, paid: bool, words: str
) -> None:
    reservation = make_reservation(in_days=3)
    if paid:
        pay(guest, stripe, reservation)
    cancel(deps, reservation)
    jobs.run_once(deps)
    text = text_of(only(mailbox, "Your stay is cancelled"))
    assert words in text
    assert "working days" not in text


def test_three_declines_are_one_mail(
    mailbox: Mailbox, deps: Deps, guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    for _ in range(3):
        stripe.pay(session_of(guest.presses_pay()), card="4000000000000002")
        stripe.deliver()
        guest.goes_to(f"/reservations/{reservation.code}/failed")
    jobs.run_once(deps)
    text = text_of(only(mailbox, "Let us help you pay"))
    assert "You have not been charged" not in text, "the last payment page is still open"
    assert "If you have paid, you will see it on your reservation's page shortly." in text
    assert "Three payments did not go through, so we stopped." in text


def test_a_hold_that_ends_is_told_once_two_hours_before(
    mailbox: Mailbox, deps: Deps, clock: Clock, make_reservation: Make
) -> None:
    reservation = make_reservation()
    clock.advance(hours=21, minutes=59)
    jobs.run_once(deps)
    assert mailbox.taken == []
    for _ in range(3):
        clock.advance(minutes=10)
        jobs.run_once(deps)
    (mail,) = mailbox.taken
    assert str(mail["Subject"]).startswith("Your room is held until ")
    assert "nothing was charged" in text_of(mail)

    later = reservation.hold_until + timedelta(hours=24)  # staff hold it longer: another episode
    Reservation.update(hold_until=later).where(Reservation.id == reservation.id).execute()
    jobs.run_once(deps)
    assert len(mailbox.taken) == 1
    clock.move_to(later - timedelta(hours=1))
    jobs.run_once(deps)
    assert len(mailbox.taken) == 2


def test_no_warning_for_who_has_paid_is_paying_or_has_just_booked(
    mailbox: Mailbox, deps: Deps, clock: Clock, guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    paid, slow = make_reservation(), make_reservation(room="River room")
    pay(guest, stripe, paid)
    guest.opens_link(slow)
    stripe.complete_unpaid(session_of(guest.presses_pay()))
    stripe.deliver()
    clock.advance(hours=22, minutes=5)
    make_reservation(in_days=60, hold_hours=2)
    jobs.run_once(deps)
    assert mailbox.subjects() == ["Your room is confirmed"]


def test_a_warning_that_is_no_longer_true_is_not_sent(
    mailbox: Mailbox, deps: Deps, clock: Clock, guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    clock.advance(hours=22, minutes=5)
    assert mails.queue_hold_warnings(deps) == 1
    pay(guest, stripe, reservation)
    jobs.run_once(deps)
    assert mailbox.subjects() == ["Your room is confirmed"]
    (warning,) = rows(OutgoingMail, kind="hold_ending")
    assert (warning.sent_at, warning.error_message) == (None, "no longer true")
    assert rows(Alert) == []


def test_money_that_goes_back_is_explained(
    mailbox: Mailbox, deps: Deps, clock: Clock, guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    session = session_of(guest.presses_pay())
    cancel(deps, reservation)
    stripe.webhooks("hold")
    names = {
        "portal": hotels.get_hotel().installation,
        "reservation": reservation.code,
        "payment": "PAY-0000000000000000",
    }
    stripe.charge_elsewhere(112_500, metadata=names)
    stripe.deliver()
    jobs.run_once(deps)
    assert session
    text = text_of(only(mailbox, "Your payment goes back to you"))
    assert "Your payment of €1,125.00 came in, and all of it goes back to you." in text
    assert "It came in after the stay had been cancelled." in text
    assert "<" not in text


def test_a_refund_that_failed_is_still_promised(
    mailbox: Mailbox, deps: Deps, guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    pay(guest, stripe, reservation)
    cancel(deps, reservation)
    (refund,) = rows(Refund)
    stripe.move_refund(refund.stripe_id, "failed")
    stripe.deliver()
    jobs.run_once(deps)
    text = text_of(only(mailbox, "Your refund is delayed"))
    assert "You still get €1,125.00." in text


def test_a_corrected_address_gets_the_mail(mailbox: Mailbox, deps: Deps, make_reservation: Make) -> None:
    reservation = make_reservation(send_link=True)
    Reservation.update(email="right@carvalho.example").where(Reservation.id == reservation.id).execute()
    jobs.run_once(deps)
    assert [mail["To"] for mail in mailbox.taken] == ["right@carvalho.example"]
    assert rows(OutgoingMail)[0].recipient == "right@carvalho.example"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("<b>Bold</b> & Co", "&lt;b&gt;Bold&lt;/b&gt; &amp; Co"),
        ("Ann\r\nBcc: all@example.org", "Ann Bcc: all@example.org"),
        ("Ann\n\nPay here:\nhttps://evil.example", "Ann Pay here: https://evil.example"),
    ],
)
def test_what_somebody_typed_stays_a_word_in_a_sentence(
    mailbox: Mailbox, deps: Deps, make_reservation: Make, name: str, shown: str
) -> None:
    reservation = make_reservation(send_link=True)
    Reservation.update(guest_name=name).where(Reservation.id == reservation.id).execute()
    Hotel.update(name="Casa\r\nBcc: all@example.org").execute()
    jobs.run_once(deps)
    (mail,) = mailbox.taken
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Your reservation at Casa Bcc: all@example.org"
    assert f"Dear {shown}," in html_of(mail)
    assert mailbox.envelopes == [(SENDER, [reservation.email])]
    assert html_of(mail).count("<a ") == 1


@pytest.fixture
def portuguese(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = Catalog(locale="pt_PT")
    catalog.add("Dear %(name)s,", "Olá %(name)s,")
    compiled = BytesIO()
    write_mo(compiled, catalog)
    folder = tmp_path / "translations" / "pt_PT" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "messages.mo").write_bytes(compiled.getvalue())
    monkeypatch.setattr(languages, "TRANSLATIONS", tmp_path / "translations")


@pytest.mark.usefixtures("portuguese")
def test_a_mail_is_in_the_guests_language(mailbox: Mailbox, deps: Deps, make_reservation: Make) -> None:
    make_reservation(send_link=True, locale="pt-PT")
    make_reservation(send_link=True, locale="de", room="River room")
    jobs.run_once(deps)
    first, second = mailbox.taken
    assert "Olá Inês Carvalho," in text_of(first)
    assert first["Content-Language"] == "pt-PT"
    assert 'lang="pt-PT"' in html_of(first)
    assert "Dear Inês Carvalho," in text_of(second)


def raise_one(deps: Deps, cause: str, reservation: Reservation | None = None) -> None:
    with transaction():
        alerts.raise_alert("refund failed", cause, now=deps.now(), reservation=reservation, amount=4200)


def test_staff_get_new_alerts_once_and_at_most_one_mail_an_hour(
    mailbox: Mailbox, deps: Deps, clock: Clock, make_reservation: Make
) -> None:
    reservation = make_reservation(hold_hours=200)
    raise_one(deps, "one", reservation)
    jobs.run_once(deps)
    (mail,) = mailbox.taken
    assert (mail["To"], mail["Subject"]) == (STAFF, "1 new line needs attention")
    assert "€42.00" in text_of(mail)
    assert reservation.email not in text_of(mail)
    assert reservation.guest_name not in text_of(mail)

    raise_one(deps, "two")
    raise_one(deps, "three")
    for _ in range(3):
        clock.advance(minutes=19)
        jobs.run_once(deps)
    assert len(mailbox.taken) == 1
    clock.advance(minutes=5)
    jobs.run_once(deps)
    assert mailbox.subjects()[1:] == ["2 new lines need attention"]
    clock.advance(hours=5)
    jobs.run_once(deps)
    assert len(mailbox.taken) == 2


def test_an_alert_that_was_closed_meanwhile_is_not_mailed(mailbox: Mailbox, deps: Deps) -> None:
    raise_one(deps, "one")
    mails.queue_staff_alerts(deps)
    alerts.close_alert(rows(Alert)[0].id, actor="staff", why="done", now=deps.now())
    jobs.run_once(deps)
    assert mailbox.taken == []


def test_a_link_is_sent_at_every_word_of_staff(
    mailbox: Mailbox, deps: Deps, clock: Clock, make_reservation: Make
) -> None:
    reservation = make_reservation()
    for _ in range(2):
        mails.queue_link(deps, reservation)
        clock.advance(seconds=1)
    jobs.run_once(deps)
    assert len(mailbox.taken) == 2
    assert len({mail["Message-ID"] for mail in mailbox.taken}) == 2


def test_without_a_mail_server_everything_waits(deps: Deps, clock: Clock, make_reservation: Make) -> None:
    make_reservation(send_link=True)
    raise_one(deps, "one")
    clock.advance(hours=22, minutes=5)
    done = jobs.run_once(deps)
    assert done["send mails"] == done["warn before holds end"] == done["tell staff what needs attention"] == 0
    (mail,) = rows(OutgoingMail)
    assert (mail.sent_at, mail.given_up_at, mail.tries) == (None, None, 0)
    assert not mails.is_promised(deps, mail.kind, mail.cause)
