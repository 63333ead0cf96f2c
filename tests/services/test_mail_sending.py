"""The queue and the mail server: at least once, never lost, never in anybody's way."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from portal import db, mail_texts
from portal.db import transaction
from portal.deps import Deps
from portal.gateways.mail_gateway import Letter, MailGateway
from portal.models import Alert, OutgoingMail, Reservation
from portal.services import mail_sending, mails
from stripe_simulator import Control
from tests.actors import Clock, Guest, rows, session_of
from tests.mailbox import Mailbox

Make = Callable[..., Reservation]


def send(deps: Deps) -> int:
    return mail_sending.send_due(deps, mail_texts.write)


def the_mail() -> OutgoingMail:
    (mail,) = rows(OutgoingMail)
    return mail


def test_one_cause_is_one_mail(mailbox: Mailbox, deps: Deps, make_reservation: Make) -> None:
    reservation = make_reservation()
    for _ in range(3):
        with transaction():
            mails.queue(deps, "private_link", "the same", reservation)
    assert (send(deps), send(deps)) == (1, 0)
    assert len(mailbox.taken) == 1
    assert (the_mail().tries, the_mail().sent_at) == (1, deps.now())


def test_several_workers_send_each_mail_once(mailbox: Mailbox, deps: Deps, make_reservation: Make) -> None:
    reservation = make_reservation()
    with transaction():
        for number in range(8):
            mails.queue(deps, "private_link", f"number {number}", reservation)
    sent: list[int] = []

    def work() -> None:
        with db.connection():
            sent.append(send(deps))
        db.close_connection()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(sent) == 8
    assert len({mail["Message-ID"] for mail in mailbox.taken}) == len(mailbox.taken) == 8


def test_a_mail_of_a_transaction_that_failed_is_never_sent(
    mailbox: Mailbox, deps: Deps, make_reservation: Make
) -> None:
    reservation = make_reservation()

    def queue_and_fail() -> None:
        with transaction():
            mails.queue(deps, "private_link", "taken back", reservation)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        queue_and_fail()
    assert send(deps) == 0
    assert rows(OutgoingMail) == []


class _Died(BaseException):
    """As if the process were gone: nothing catches it."""


class _DiesAfterSending(MailGateway):
    def send(self, letter: Letter) -> None:
        super().send(letter)
        raise _Died


def test_a_crash_after_the_servers_yes_repeats_the_same_message(
    mailbox: Mailbox, deps: Deps, clock: Clock, make_reservation: Make
) -> None:
    make_reservation(send_link=True)
    with pytest.raises(_Died):
        send(replace(deps, mail=_DiesAfterSending(deps.settings.smtp)))
    assert the_mail().sent_at is None
    assert send(deps) == 0  # somebody may still be at it
    clock.advance(minutes=6)
    assert send(deps) == 1
    first, second = mailbox.taken
    assert first["Message-ID"] == second["Message-ID"]
    assert the_mail().sent_at == deps.now()


def test_who_dies_each_time_is_parked_in_the_end(
    mailbox: Mailbox, deps: Deps, clock: Clock, make_reservation: Make
) -> None:
    make_reservation(send_link=True)
    deadly = replace(deps, mail=_DiesAfterSending(deps.settings.smtp))
    for _ in range(mail_sending.MOST_TRIES):
        with pytest.raises(_Died):
            send(deadly)
        clock.advance(minutes=6)
    assert send(deadly) == 0
    assert the_mail().error_message == "never ended"
    assert [alert.kind for alert in rows(Alert)] == ["mail given up"]


def test_a_server_that_is_down_costs_no_try_and_hurts_nobody(
    mailbox: Mailbox, deps: Deps, clock: Clock, guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    mailbox.stop()
    reservation = make_reservation(send_link=True)
    guest.opens_link(reservation)
    stripe.pay(session_of(guest.presses_pay()))
    assert set(stripe.deliver()) == {200}
    assert guest.opens_link(reservation).reservation_status == "confirmed"
    for _ in range(20):
        assert send(deps) == 0
        clock.advance(minutes=10)
    assert all((mail.tries, mail.given_up_at) == (0, None) for mail in rows(OutgoingMail))
    assert [alert.kind for alert in rows(Alert)] == ["mail server cannot be used"]

    mailbox.start()
    clock.advance(hours=1)
    assert send(deps) == 2
    assert mailbox.subjects() == ["Your reservation at Casa do Limoeiro", "Your room is confirmed"]


def test_the_pauses_grow_to_an_hour_while_the_server_is_down(
    mailbox: Mailbox, deps: Deps, clock: Clock, make_reservation: Make
) -> None:
    mailbox.stop()
    make_reservation(send_link=True)
    pauses = []
    for _ in range(40):
        send(deps)
        pauses.append(the_mail().next_try_at - deps.now())
        clock.move_to(the_mail().next_try_at)
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (timedelta(minutes=1), timedelta(hours=1))


@pytest.mark.parametrize("where", ["recipients", "data"])
def test_a_refused_address_is_an_alert_and_is_not_tried_again(
    mailbox: Mailbox, deps: Deps, clock: Clock, make_reservation: Make, where: str
) -> None:
    setattr(mailbox, where, "550 5.1.1 no such user")
    reservation = make_reservation(send_link=True)
    make_reservation(room="River room", send_link=True)
    assert send(deps) == 0
    first, second = rows(OutgoingMail)
    assert first.error_message == second.error_message == "refused: 550"
    assert not mails.is_promised(deps, first.kind, first.cause)
    alert = rows(Alert)[0]
    assert (alert.kind, alert.reservation_id, alert.details) == (
        "mail bounced",
        reservation.id,
        {"mail": "private_link"},
    )
    setattr(mailbox, where, "")
    clock.advance(days=1)
    assert send(deps) == 0


def test_a_mail_that_is_put_off_is_tried_eight_times(
    mailbox: Mailbox, deps: Deps, clock: Clock, make_reservation: Make
) -> None:
    mailbox.recipients = "451 4.7.1 greylisted, come back"
    make_reservation(send_link=True)
    pauses = []
    while the_mail().given_up_at is None:
        assert send(deps) == 0
        pauses.append(the_mail().next_try_at - deps.now())
        clock.move_to(the_mail().next_try_at)
    assert len(pauses) == mail_sending.MOST_TRIES
    minutes = [pause.total_seconds() / 60 for pause in pauses[:-1]]
    assert minutes == [1, 4, 16, 64, 256, 360, 360]
    assert [alert.kind for alert in rows(Alert)] == ["mail given up"]


def test_a_greylisted_mail_arrives(mailbox: Mailbox, deps: Deps, clock: Clock, make_reservation: Make) -> None:
    mailbox.recipients = "451 4.7.1 greylisted, come back"
    make_reservation(send_link=True)
    assert send(deps) == 0
    mailbox.recipients = ""
    clock.advance(minutes=1)
    assert send(deps) == 1
    assert (the_mail().tries, the_mail().error_message) == (2, None)
    assert rows(Alert) == []


def test_a_mail_that_cannot_be_written_does_not_stop_the_others(
    mailbox: Mailbox, deps: Deps, make_reservation: Make
) -> None:
    broken, fine = make_reservation(), make_reservation(room="River room", guest_name="Marta Kowalska")
    with transaction():
        mails.queue(deps, "payment_received", "no such payment", broken, payment="PAY-NONE")
        mails.queue(deps, "private_link", "fine", fine)
    assert send(deps) == 1
    assert len(mailbox.taken) == 1
    assert rows(OutgoingMail)[0].error_message.startswith("cannot be written: ")


def test_a_queue_of_last_month_is_not_poured_out(
    mailbox: Mailbox, deps: Deps, clock: Clock, make_reservation: Make
) -> None:
    make_reservation(send_link=True, in_days=90)
    make_reservation(send_link=True, in_days=90, room="River room")
    clock.advance(days=8)
    assert send(deps) == 0
    assert mailbox.taken == []
    assert [alert.kind for alert in rows(Alert)] == ["mails too old to send"]


def test_bouncing_staff_do_not_cause_mail_about_bouncing_staff_for_ever(
    mailbox: Mailbox, deps: Deps, clock: Clock
) -> None:
    mailbox.recipients = "550 no such user"
    with transaction():
        mail_sending.raise_alert("refund failed", "one", now=deps.now())
    for _ in range(6):
        mails.queue_staff_alerts(deps)
        send(deps)
        clock.advance(hours=2)
    assert [alert.kind for alert in rows(Alert)] == ["refund failed", "mail bounced"]
    assert len(rows(OutgoingMail)) == 2


def test_nothing_is_sent_inside_a_transaction(mailbox: Mailbox, deps: Deps, make_reservation: Make) -> None:
    make_reservation(send_link=True)
    with pytest.raises(RuntimeError, match="a transaction is open"), transaction():
        send(deps)
    assert mailbox.taken == []
