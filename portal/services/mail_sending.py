"""Sending what is in the queue: at least once, and twice only if we died between the server's yes and our note of it;
then with the same Message-ID. Nothing waits for a mail server: only the worker sends."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address

import structlog

from portal import logs
from portal.db import DatabaseBusy, transaction
from portal.deps import Deps
from portal.gateways.mail_gateway import (
    Attachment,
    Letter,
    MailDeferred,
    MailRefused,
    MailServerRefusesUs,
    MailUnavailable,
)
from portal.models import Hotel, OutgoingMail, unindexed
from portal.services import hotels, mail_facts, mails, stay_calendar
from portal.services.alerts import raise_alert
from portal.services.due import is_due
from portal.services.mail_facts import Facts, NoLongerTrue

log = structlog.get_logger()

CLAIMED_FOR = timedelta(minutes=5)
"""Longer than a mail takes: two workers never send the same one at the same time."""

MOST_TRIES = 8
"""Tries that failed because of the mail itself; those for which the server was not there do not count."""

LONGEST_PAUSE = timedelta(hours=6)
TOO_OLD = timedelta(days=7)
"""After a week a mail confuses more than it helps; so does a whole queue on the day that mails are switched on."""

TROUBLE_AFTER = timedelta(hours=1)
AT_ONCE = 50


@dataclass(frozen=True)
class Wording:
    """A mail as people read it; text and HTML say the same."""

    subject: str
    text: str
    html: str
    language: str


Writer = Callable[[str, tuple[str, ...], Facts], Wording]
"""Words a kind of mail from its facts, in the first of these languages that there are texts in."""


def send_due(deps: Deps, write: Writer) -> int:
    """Send what is due; how many the server took. While it cannot be used, the others are left for later."""
    if not deps.mail.is_on:
        return 0
    waiting = OutgoingMail.sent_at.is_null() & OutgoingMail.given_up_at.is_null()
    due = OutgoingMail.select().where(waiting & is_due(OutgoingMail.next_try_at, deps.now(), LONGEST_PAUSE))
    sent = 0
    # In the order of their making, but without walking through all mails in that order.
    for mail in list(due.order_by(unindexed(OutgoingMail.id)).limit(AT_ONCE)):
        try:
            with logs.about(mail=mail.id, payment=mail.details.get("payment")):
                sent += _send_one(deps, mail, write)
        except MailUnavailable as error:
            _wait_for_server(deps, mail, error)
            break
    return sent


def _send_one(deps: Deps, mail: OutgoingMail, write: Writer) -> bool:
    if not _claim(deps, mail):
        return False
    if deps.now() - mail.created_at > TOO_OLD:
        _give_up(deps, mail, "too old", alert="mails too old to send", cause="too old")
        return False
    if mail.tries >= MOST_TRIES:  # it never came to an end: whoever tried it died
        _give_up(deps, mail, "never ended", alert="mail given up")
        return False
    try:
        letter = _prepare(deps, mail, write)
        deps.mail.send(letter)
    except NoLongerTrue:
        _give_up(deps, mail, "no longer true")
        return False
    except MailRefused as error:
        _give_up(deps, mail, f"refused: {error.code}", alert="mail bounced")
        return False
    except MailDeferred as error:
        _postpone(deps, mail, f"deferred: {error.code}")
        return False
    except (DatabaseBusy, MailUnavailable):
        raise
    except Exception as error:  # one mail that cannot be written must not stop the others
        log.error("mail cannot be written", kind=mail.kind, mail=mail.id, error=type(error).__name__, exc_info=True)
        _postpone(deps, mail, f"cannot be written: {type(error).__name__}")
        return False
    _note_sent(deps, mail, letter)
    return True


def _claim(deps: Deps, mail: OutgoingMail) -> bool:
    now = deps.now()
    with transaction():
        free = OutgoingMail.sent_at.is_null() & OutgoingMail.given_up_at.is_null()
        free &= is_due(OutgoingMail.next_try_at, now, LONGEST_PAUSE)
        return bool(
            OutgoingMail.update(next_try_at=now + CLAIMED_FOR, tries=OutgoingMail.tries + 1)
            .where((OutgoingMail.id == mail.id) & free)
            .execute()
        )


def _prepare(deps: Deps, mail: OutgoingMail, write: Writer) -> Letter:
    hotel, reservation = hotels.get_hotel(), mail.reservation
    facts = mail_facts.facts_of(deps, mail)
    words = write(mail.kind, (mail.locale, hotel.locale), facts)
    return Letter(
        message_id=_message_id(deps, hotel, mail),
        sender=_sender(deps, hotel),
        to=reservation.email if reservation else mail.recipient,  # an address may have been put right meanwhile
        subject=words.subject,
        text=words.text,
        html=words.html,
        language=words.language,
        date=deps.now(),
        reply_to=hotel.email,
        attachments=_attachments(deps, mail),
    )


def _message_id(deps: Deps, hotel: Hotel, mail: OutgoingMail) -> str:
    """Of the kind and the cause alone: the same at every try, and no other mail's."""
    name = "\0".join((hotel.installation, mail.kind, mail.cause)).encode()
    return f"<{hashlib.sha256(name).hexdigest()[:40]}@{_mail_from(deps).domain}>"


def _sender(deps: Deps, hotel: Hotel) -> Address:
    address = _mail_from(deps)
    name = address.display_name or " ".join(hotel.name.split())
    return Address(display_name=name, addr_spec=address.addr_spec)


def _mail_from(deps: Deps) -> Address:
    if deps.settings.mail_from is None:
        raise ValueError("MAIL_FROM is not set")
    return deps.settings.mail_from


def _attachments(deps: Deps, mail: OutgoingMail) -> tuple[Attachment, ...]:
    """The stay for the guest's calendar, once it is certain."""
    reservation = mail.reservation
    if mail.kind != "payment_received" or reservation is None or reservation.status != "confirmed":
        return ()
    return (Attachment(stay_calendar.FILENAME, "calendar", stay_calendar.write_ics(deps, reservation)),)


# What came of it ------------------------------------------------------------------------------------------------------


def _note_sent(deps: Deps, mail: OutgoingMail, letter: Letter) -> None:
    _note(mail, sent_at=deps.now(), recipient=letter.to, error_message=None)
    log.info("mail sent", kind=mail.kind, mail=mail.id, tries=mail.tries + 1)


def _give_up(deps: Deps, mail: OutgoingMail, why: str, *, alert: str = "", cause: str = "") -> None:
    """Not tried again. A person is told, unless there was nothing to say any more."""
    _note(mail, given_up_at=deps.now(), error_message=why)
    log.warning("mail given up", kind=mail.kind, mail=mail.id, why=why)
    if not alert:
        return
    if mail.kind == mails.STAFF_ALERTS:
        cause = mail.kind  # one line, however often: a mail about it would bounce again
    with transaction():
        raise_alert(
            alert, cause or f"{mail.kind}:{mail.cause}", now=deps.now(), reservation=mail.reservation, mail=mail.kind
        )


def _postpone(deps: Deps, mail: OutgoingMail, why: str) -> None:
    """Again after 1, 4, 16 minutes … at most 6 hours; the eighth time is the last."""
    if mail.tries + 1 >= MOST_TRIES:
        _give_up(deps, mail, why, alert="mail given up")
        return
    _note(mail, next_try_at=deps.now() + min(LONGEST_PAUSE, timedelta(minutes=4**mail.tries)), error_message=why)


def _wait_for_server(deps: Deps, mail: OutgoingMail, error: MailUnavailable) -> None:
    """It does not count as a try; the longer the mail waits already, the rarer it is tried, at least once an hour."""
    age = deps.now() - mail.created_at
    pause = min(timedelta(hours=1), max(timedelta(minutes=1), age / 4))
    _note(mail, tries=mail.tries, next_try_at=deps.now() + pause, error_message=f"server: {error.code}")
    log.warning("mail waits for the server", mail=mail.id, code=error.code)
    if age > TROUBLE_AFTER or isinstance(error, MailServerRefusesUs):
        with transaction():
            raise_alert("mail server cannot be used", "smtp", now=deps.now(), code=error.code)


def _note(mail: OutgoingMail, **columns: str | int | datetime | None) -> None:
    with transaction():
        OutgoingMail.update(**columns).where((OutgoingMail.id == mail.id) & OutgoingMail.sent_at.is_null()).execute()
