"""A hotel's database after years of business, the same at every run: `fill(url, 200_000)`.

A house of 60 rooms that are taken three nights in four, 20 bookings a day, until a month ahead; more reservations are
more years. Each stay has what the portal itself would have written about it: price lines, nights, words to search by,
payments with their declines, cancellations, refunds, mails, the log, alerts, and Stripe's messages of the last 90 days.
The nightly check of the books finds nothing wrong with it, and nothing waits for the worker.

Simplified: one currency and one policy; no stay was edited, moved or partly paid; names repeat as they do in life, but
nobody is known to come back; guests are not forgotten after two years, so the search has all their words
(the hardest case); staff cannot sign in; the log of settings and the alerts of mail servers are left out.

Written past the query builder, with the indexes made at the end, because time matters more here than caution."""

import argparse
import gc
import random
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

sys.path.insert(0, str(Path(__file__).parents[1]))

from portal import db, migrations
from portal.domain.guest_match import CODE_LETTERS
from portal.domain.search_words import fold, words_of
from portal.models import (
    TABLES,
    Alert,
    AuditLog,
    Cancellation,
    Dispute,
    Hotel,
    Note,
    OutgoingMail,
    Payment,
    Refund,
    ReservationLine,
    ReservationWord,
    Room,
    RoomNight,
    Staff,
)
from portal.services import hotels

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
"""The moment at which the hotel's books are looked at."""

ROOMS = 60
AHEAD = 30
"""Days after today that are booked as densely as those before."""
OWNING = 0.72
"""Of all bookings; the others were cancelled or never paid."""
CHUNK = 5_000
EVENTS_KEPT, ADDRESSES_KEPT = 90, 30
DAY, HOUR = 86_400, 3_600

Progress = Callable[[str], None]

_NAMES = (  # noqa: SIM905  # one name after another, as people read them
    "Maria Ana João José António Francisco Manuel Inês Beatriz Carolina Leonor Tiago Rui Pedro Miguel Sofia Marta Luís "
    "James Emma Olivia Oliver George Harriet Thomas William Charlotte Amelia Jack Emily Grace Henry Sarah David John "
    "Anna Lukas Finn Lena Jürgen Käthe Björn Mia Hannah Felix Paul Sabine Uwe Heike Matthias Claire Chloé Élodie René "
    "Camille Hugo Louis Manon Léa François Giulia Marco Francesca Luca Chiara Matteo Carmen Javier Lucía Pablo Álvaro "
    "Zoë Anouk Sven Astrid Ingrid Łukasz Zofia Katarzyna Piotr Jan Eva Tomáš Søren Mette Aino Yuki Haruto Wei Mei Minh "
    "Priya Arjun Fatima Omar Aïcha Ivana Dragan Ewa Siobhán Niamh Ann-Kathrin Jean-Luc"
).split()
_SURNAMES = (  # noqa: SIM905
    "Silva|Santos|Ferreira|Pereira|Oliveira|Costa|Rodrigues|Martins|Jesus|Sousa|Fernandes|Gonçalves|Gomes|Lopes|"
    "Marques|Alves|Almeida|Ribeiro|Pinto|Carvalho|Teixeira|Moreira|Correia|Mendes|Nunes|Soares|Vieira|Monteiro|"
    "Cardoso|Rocha|Smith|Jones|Taylor|Brown|Williams|Wilson|Johnson|Davies|Patel|Robinson|Wright|Thompson|Evans|"
    "Walker|White|Roberts|Green|Hall|O'Brien|O'Sullivan|Müller|Schmidt|Schneider|Fischer|Weber|Meyer|Wagner|Becker|"
    "Schulz|Hoffmann|Schäfer|Koch|Bauer|Richter|Klein|Wolf|Schröder|Neumann|Groß|Dubois|Durand|Lefèvre|Moreau|Rossi|"
    "Russo|Ferrari|Esposito|Bianchi|Romano|García|Fernández|González|Martínez|López|Sánchez|Pérez|de Souza|da Cunha|"
    "van den Berg|de Vries|Jansen|Bakker|Visser|Nielsen|Jensen|Hansen|Lindström|Johansson|Andersson|Kowalski|Nowak|"
    "Wiśniewska|Novák|Nagy|Horváth|Ionescu|Papadopoulos|Yılmaz|Tanaka|Satō|Kim|Nguyen|Chen|Wang|Singh|Khan|"
    "Leutheusser-Schnarrenberger|Fernández de la Vega"
).split("|")
_DOMAINS = (
    *("gmail.example", "gmail.example", "gmail.example", "outlook.example", "outlook.example", "icloud.example"),
    *("yahoo.example", "web.example", "sapo.example", "orange.example", "mail.example", "uni-koeln.example"),
)
_LOCALES = ("en-GB", "en-GB", "pt-PT", "pt-PT", "de-DE", "de-DE", "fr-FR", "es-ES", "it-IT", "nl-NL")
_COUNTRIES = ("+351 9", "+44 7", "+49 15", "+33 6", "+34 6", "+39 3")
_BRANDS = ("visa", "visa", "visa", "mastercard", "mastercard", "amex")
_DECLINES = ("card_declined", "insufficient_funds", "insufficient_funds", "expired_card", "incorrect_cvc")
_REASONS = ("", "", "plans have changed", "ill", "flight cancelled")

_THREE = ["".join(letters) for letters in product(CODE_LETTERS, repeat=3)]
_CLOCK = [f"{s // HOUR:02}:{s // 60 % 60:02}:{s % 60:02}.000000+00:00" for s in range(DAY)]


@cache
def _day(number: int) -> str:
    """Days since 1970 as both databases take them."""
    return (date(1970, 1, 1) + timedelta(days=number)).isoformat()


def _at(seconds: int) -> str:
    """An instant as both databases take it."""
    return f"{_day(seconds // DAY)} {_CLOCK[seconds % DAY]}"


class Booking(NamedTuple):
    """Instants are seconds, days are numbers since 1970. `fate`: confirmed, pending, cancelled or expired."""

    created: int
    room: int
    check_in: int
    nights: int
    fate: str


class Book:
    """Bookings on their way to becoming rows of all tables. Everything random comes from one generator with a fixed
    beginning, in a fixed order."""

    def __init__(self, size: int, now: datetime) -> None:
        self.size, self.now = size, int(now.timestamp())
        self.today = self.now // DAY
        self.random = random.Random(6)  # noqa: S311  # no secret, but the same at every run
        self.rows: dict[str, list[tuple[Any, ...]]] = {model._meta.table_name: [] for model in TABLES}
        self.counts = dict.fromkeys(self.rows, 0)
        self.receipts: dict[int, int] = {}
        self.policy = "[[14,100],[7,50]]"
        self.live = 0

    def chunks(self) -> Iterator[dict[str, list[tuple[Any, ...]]]]:
        """Rows of each table, in the order of `columns_of`."""
        self._house()
        for number, booking in enumerate(sorted(self._bookings()), 1):
            self._stay(number, booking)
            if number % CHUNK == 0:
                yield self._taken()
        yield self._taken()

    def _taken(self) -> dict[str, list[tuple[Any, ...]]]:
        taken, self.rows = self.rows, {name: [] for name in self.rows}
        return taken

    def _add(self, model: Any, *values: Any) -> int:
        """A row with its number, which it is given here."""
        name = model._meta.table_name
        self.counts[name] += 1
        self.rows[name].append((self.counts[name], *values))
        return self.counts[name]

    # When and where ---------------------------------------------------------------------------------------------------

    def _bookings(self) -> Iterator[Booking]:
        owning = round(self.size * OWNING)
        earliest = self.today
        for room in range(1, ROOMS + 1):
            leaves = self.today + AHEAD - self.random.randrange(3)
            for _ in range(owning // ROOMS + (room <= owning % ROOMS)):
                nights = self._nights()
                arrives = leaves - nights
                yield self._owning(room, arrives, nights)
                leaves = arrives - self.random.choice((0, 0, 1, 1, 2))
            earliest = min(earliest, leaves)
        for _ in range(self.size - owning):
            yield self._given_up(self.random.randrange(earliest, self.today + AHEAD))

    def _nights(self) -> int:
        return self.random.choice((1, 2, 2, 3, 3, 3, 4, 4, 5, 7))

    def _owning(self, room: int, arrives: int, nights: int) -> Booking:
        if arrives > self.today + 1 and self.random.random() < 0.06:
            return Booking(self.now - self.random.randrange(600, 40 * HOUR), room, arrives, nights, "pending")
        return Booking(self._booked(arrives), room, arrives, nights, "confirmed")

    def _given_up(self, arrives: int) -> Booking:
        created, room, nights = self._booked(arrives), self.random.randrange(1, ROOMS + 1), self._nights()
        is_over = created + 49 * HOUR < self.now and created + 49 * HOUR < arrives * DAY
        fate = "expired" if is_over and self.random.random() < 0.5 else "cancelled"
        return Booking(created, room, arrives, nights, fate)

    def _booked(self, arrives: int) -> int:
        """Some weeks before, many of them late; in daylight."""
        lead = int(70 * self.random.random() ** 2)
        created = (arrives - lead) * DAY + 6 * HOUR + self.random.randrange(6 * HOUR)
        return created if created < self.now - 2 * HOUR else self.now - self.random.randrange(2 * HOUR, 3 * DAY)

    # The house --------------------------------------------------------------------------------------------------------

    def _house(self) -> None:
        for room in range(1, ROOMS + 1):
            self._add(Room, f"Room {room}", "Facing the garden" if room % 2 else "Facing the river", 4)
        for name, role in (("Marta", "manager"), ("Rui", "reception"), ("Sofia", "reception")):
            at = _at((self.today - 400) * DAY)
            self._add(Staff, f"{name.lower()}@hotel.example", name, role, "!", at, False, None, None, at, None)

    # A stay -----------------------------------------------------------------------------------------------------------

    def _stay(self, number: int, booking: Booking) -> None:
        stay = _Stay(self, number, booking)
        stay.write()

    def letters(self, count: int) -> str:
        """As random as codes look."""
        bits = self.random.getrandbits(15 * ((count + 2) // 3))
        text = ""
        while bits or len(text) < count:
            bits, some = divmod(bits, 32_768)
            text += _THREE[some]
        return text[:count]

    def next_receipt(self, at: int) -> str:
        year = int(_day(at // DAY)[:4])
        self.receipts[year] = self.receipts.get(year, 0) + 1
        return f"{year}-{self.receipts[year]:04}"


class _Stay:
    """One booking and all that came of it."""

    def __init__(self, book: Book, number: int, booking: Booking) -> None:
        self.book, self.number, self.booking = book, number, booking
        rng = self.random = book.random
        self.code = book.letters(12)
        self.first = _NAMES[int(len(_NAMES) * rng.random() ** 2)]
        self.last = _SURNAMES[int(len(_SURNAMES) * rng.random() ** 2)]
        self.domain = _DOMAINS[rng.randrange(len(_DOMAINS))]
        self.local = self._local_part()
        self.email = f"{self.local}@{self.domain}"
        self.phone = f"{_COUNTRIES[number % 6]}{rng.randrange(10_000_000, 100_000_000)}"
        self.locale = _LOCALES[rng.randrange(10)]
        self.rate = 9_000 + booking.room * 200
        self.adults, self.children = rng.choice((1, 2, 2, 2, 2, 3)), rng.choice((0, 0, 0, 0, 1))
        self.lines = self._prices()
        self.total = sum(amount for _, _, amount, _ in self.lines)
        self.sessions = 0
        self.changed = booking.created
        self.paid = 0
        self.status = "pending"

    def _local_part(self) -> str:
        """As people choose their addresses: with the whole name, a letter of it, or a number."""
        first, last, kind = _plain(self.first), _plain(self.last), self.random.randrange(4)
        if kind == 0:
            return f"{first}.{last}{self.number % 100:02}"
        return f"{first}.{last}" if kind < 3 else f"{first[0]}{last}{self.number % 1_000}"

    def write(self) -> None:
        """Its rows; the reservation's own last, when it is known what became of it."""
        booking = self.booking
        self._log("reservation", self.code, None, "pending", "staff:2", "reservation added", booking.created)
        if self.random.random() < 0.6:
            self._mail("private_link", f"{self.code}:added", booking.created, {})
        getattr(self, f"_{booking.fate}")()
        self._reservation()
        for position, line in enumerate(self.lines):
            self._add(ReservationLine, self.number, position, *line)
        if self.status in ("pending", "confirmed"):
            for night in range(booking.check_in, booking.check_in + booking.nights):
                self._add(RoomNight, booking.room, _day(night), self.number)
        for word in search_words(self.code, self.first, self.last, self.local, self.domain, self.phone):
            self._add(ReservationWord, word, self.number)
        if self.random.random() < 0.03:
            self._add(Note, self.number, 1 + self.number % 3, "Arrives late, wants a quiet room.", _at(self.changed))

    def _prices(self) -> list[tuple[str, str, int, str | None]]:
        nights, people = self.booking.nights, self.adults + self.children
        lines = [(f"Room {self.booking.room}", f"{nights} nights", self.rate * nights, "6")]
        if self.random.random() < 0.5:
            lines.append(("Breakfast", f"{people} guests", 1_400 * people * nights, "13"))
        return [*lines, ("City tax", "", 200 * self.adults * min(nights, 7), None)]

    def _reservation(self) -> None:
        b, until = self.booking, self.booking.created + 48 * HOUR
        leaves, policy = b.check_in + b.nights, self.book.policy
        self.book.rows["reservation"].append(
            (self.number, self.code, f"{self.first} {self.last}", self.email, self.phone, self.locale, b.room,
             _day(b.check_in), _day(leaves), self.adults, self.children, self.total, self.paid, "EUR", self.status,
             _at(until), policy, 0, 1, _at(b.created), _at(self.changed))
        )  # fmt: skip

    # What became of it ------------------------------------------------------------------------------------------------

    def _pending(self) -> None:
        if self.random.random() < 0.3:
            self._unpaid_session(self.booking.created + 300, is_declined=True)
        if self.book.live < 3:  # somebody is on Stripe's page at this moment
            self.book.live += 1
            self._live_session(self.book.now - 60)

    def _expired(self) -> None:
        at = self.booking.created + 600
        for _ in range(self.random.choice((0, 0, 0, 1, 1, 2))):
            self._unpaid_session(at, is_declined=self.random.random() < 0.5)
            at += 3 * HOUR
        over = self.booking.created + 48 * HOUR
        self._move("expired", "portal", "hold is over", over)
        if self.random.random() < 0.01:
            self._returned(over + 1_800, "paid too late")

    def _confirmed(self) -> None:
        at = self._paid_at_last()
        chance = self.random.random()
        if chance < 0.01:
            self._returned(at + 120, "second payment")
        elif chance < 0.03 and self._was_card:
            self._given_back(at)
        elif chance < 0.0305 and self._was_card:
            self._disputed(at + 20 * DAY)

    def _cancelled(self) -> None:
        last = min(self.book.now - 600, self.booking.check_in * DAY + 9 * HOUR)
        paid = self.random.random() < 0.7
        at = self._paid_at_last() if paid else self.booking.created
        at = max(at + 60, at + int((last - at) * self.random.random()))
        tier = next((t for t in ((14, 100), (7, 50)) if self.booking.check_in - at // DAY >= t[0]), (None, 0))
        target = self.paid * tier[1] // 100
        actor = "guest" if self.random.random() < 0.8 else "staff:2"
        self._move("cancelled", actor, "cancelled", at)
        reason = self.random.choice(_REASONS)
        # reservation, actor, local_date, zone, tier_days, percent, refund_target, refund_due, reason, created_at
        self._add(
            Cancellation, self.number, actor, _day(at // DAY), "Europe/Lisbon", *tier, target, target, reason, _at(at)
        )
        self._mail("cancelled", self.code, at, {"due": target, "currency": "EUR"})
        if target:
            failed = self._was_card and self.random.random() < 0.01
            before = self._refund(self._kept, "policy", target, at, "cancelled", failed=True) if failed else None
            self._refund(self._kept, "policy", target, at + 3 * DAY * failed, "cancelled", retry_of=before)

    # Money that comes -------------------------------------------------------------------------------------------------

    def _paid_at_last(self) -> int:
        """Paid, often at once; when."""
        at = self.booking.created + self.random.randrange(120, HOUR)
        for _ in range(self.random.choice((0, 0, 0, 0, 0, 0, 0, 0, 1, 2))):
            self._unpaid_session(at, is_declined=self.random.random() < 0.7)
            at += self.random.randrange(60, HOUR // 2)
        at = min(at, self.book.now - 900)
        self._was_card = self.random.random() > 0.06
        self._kept, at = self._payment("succeeded", at, disposition="kept")
        self.paid = self.total
        self._move("confirmed", "stripe" if self._was_card else "staff:2", "paid", at)
        self._mail("payment_received", f"PAY{self._kept}", at, {"payment": self._kept})
        return at

    def _unpaid_session(self, at: int, *, is_declined: bool) -> None:
        self._was_card = True
        self._payment("expired", at, decline=self.random.choice(_DECLINES) if is_declined else None)

    def _live_session(self, at: int) -> None:
        self._was_card = True
        self._payment("open", at)

    def _payment(
        self, status: str, at: int, *, disposition: str | None = None, decline: str | None = None
    ) -> tuple[int, int]:
        """Its row's number, and when it was over."""
        card, is_money = self._was_card, status == "succeeded"
        self.sessions += 1
        public, done = f"PAY-{self.book.letters(16)}", at + self.random.randrange(20, 300) if card else at
        session, intent, charge = f"cs_test_{public[4:]}", f"pi_{public[4:]}", f"ch_{public[4:]}"
        received, currency, came = (self.total, "EUR", _at(done)) if is_money else (None, None, None)
        brand, digits = (self.random.choice(_BRANDS), f"{self.random.randrange(10_000):04}")
        used = card and (is_money or decline)
        number = self._add(
            Payment, public, self.number, "stripe" if card else "offline", self.total, "EUR", status, disposition,
            self.sessions, self.sessions, f"cs:{public}" if card else None, self._params(public, at) if card else None,
            session if card else None, intent if used else None, charge if card and is_money else None,
            brand if used else None, digits if used else None,
            f'{{"{charge}":["{decline}","{_at(done)}"]}}' if decline else "{}", _at(done) if decline else None, decline,
            None, _at(at + 31 * 60) if card else None, received, currency, came,
            self.book.next_receipt(done) if disposition == "kept" else None,
            _at(at), _at(at) if card else None, _at(done) if card else None, 0, None,
        )  # fmt: skip
        steps = ("creating", "open", status) if card and status != "open" else ("creating", status)
        before = None
        for moment, step in zip((at, at + 1, done), steps, strict=False):
            self._log("payment", public, before, step, "stripe" if step == status else "guest", "pay pressed", moment)
            before = step
        if card and status != "open":
            self._events(f"checkout.session.{'completed' if is_money else 'expired'}", session, number, done)
        if used:
            self._events(f"payment_intent.{'succeeded' if is_money else 'payment_failed'}", intent, number, done)
        self.changed = max(self.changed, done)
        return number, done

    def _params(self, public: str, at: int) -> str:
        """What Stripe was sent, without the address, as it is kept."""
        names = f'{{"portal":"of_the_bench","reservation":"{self.code}","payment":"{public}"}}'
        page = f"https://stay.hotel.example/reservations/{self.code}"
        return (
            '{"mode":"payment","allowed_payment_method_types":["card"],"submit_type":"book","line_items":[{"quantity":1,'
            f'"price_data":{{"currency":"eur","unit_amount":{self.total},"product_data":{{"name":"Our hotel"}}}}'
            f'}}],"client_reference_id":"{self.code}","metadata":{names},"success_url":"{page}/success",'
            f'"cancel_url":"{page}/failed","expires_at":{at + 1_860}}}'
        )

    # Money that goes --------------------------------------------------------------------------------------------------

    def _returned(self, at: int, why: str) -> None:
        """Money that could not be kept comes and goes back."""
        self._was_card = True
        payment, done = self._payment("succeeded", min(at, self.book.now - 600), disposition="returned")
        self._refund(payment, "returned", self.total, done, why)
        self._alert("money returned", f"PAY{payment}", done, payment)
        self._mail("money_returned", f"PAY{payment}", done, {"payment": payment})

    def _given_back(self, at: int) -> None:
        later = min(self.book.now - 900, at + self.random.randrange(5 * DAY))
        self._refund(self._kept, "staff", self.total // 10, later, "goodwill")

    def _disputed(self, at: int) -> None:
        ended = at + 40 * DAY < self.book.now
        status = self.random.choice(("won", "lost")) if ended else "under_review"
        at = min(at, self.book.now - DAY)
        changed = at + 40 * DAY if ended else at
        # payment, stripe_id, amount, currency, reason, status, due_by, created_at, updated_at
        self._add(
            Dispute, self._kept, f"du_{self.code}", self.total, "EUR", "fraudulent", status, _at(at + 10 * DAY),
            _at(at), _at(changed),
        )  # fmt: skip
        self._alert("dispute", f"du_{self.code}", at, self._kept)

    def _refund(
        self, payment: int, kind: str, amount: int, at: int, reason: str, *, failed: bool = False,
        retry_of: int | None = None,
    ) -> int:  # fmt: skip
        """Its row's number. The youngest are still on their way."""
        at = min(at, self.book.now - 300)
        is_young = self._was_card and at > self.book.now - 2 * DAY and not failed
        status = "failed" if failed else "pending" if is_young else "succeeded"
        public, sent = f"REF-{self.book.letters(16)}", at + 5
        number = self._add(
            Refund, public, payment, "stripe" if self._was_card else "offline", kind, amount, "EUR", status,
            f"ref:{public}", f"re_{public[4:]}" if self._was_card else None, retry_of, reason,
            "guest" if kind == "policy" else "staff:1", "expired_or_canceled_card" if failed else None, _at(sent), 1,
            _at(self.book.now + 3 * HOUR) if is_young else None, _at(at), _at(sent),
        )  # fmt: skip
        self._log("refund", public, None, "todo", "guest", reason, at)
        self._log("refund", public, "todo", status, "stripe", "refund sent", sent)
        if self._was_card:
            self._events("refund.created", f"re_{public[4:]}", payment, sent)
        if failed:
            self._alert("refund failed", public, sent, payment)
        self.changed = max(self.changed, sent)
        return number

    # What is noted about it -------------------------------------------------------------------------------------------

    def _move(self, status: str, actor: str, cause: str, at: int) -> None:
        self._log("reservation", self.code, self.status, status, actor, cause, at)
        self.status, self.changed = status, max(self.changed, at)

    def _log(self, what: str, name: str, old: str | None, new: str, actor: str, cause: str, at: int) -> None:
        self._add(AuditLog, what, name, old, new, actor, cause, _at(at))

    def _mail(self, kind: str, cause: str, at: int, details: dict[str, Any]) -> None:
        text = str(details).replace("'", '"').replace(" ", "")
        to = self.email if at > self.book.now - ADDRESSES_KEPT * DAY else ""
        # kind, cause, reservation, recipient, locale, details, created_at, sent_at, given_up_at, tries, next_try, error
        self._add(
            OutgoingMail, kind, cause, self.number, to, self.locale, text, _at(at), _at(at + 6), None, 1, _at(at), None
        )

    def _events(self, kind: str, about: str, payment: int, at: int) -> None:
        """Stripe's message, if it is young enough to be kept."""
        if at < self.book.now - EVENTS_KEPT * DAY:
            return
        name, arrived = f"evt_{self.book.letters(24)}", _at(at + 2)
        # event_id, type, object_id, created, livemode, payload_hash, payload, received, processed, result, error,
        # reservation, payment, tries, next_try_at
        self.book.rows["webhook_event"].append(
            (name, kind, about, _at(at), False, (name * 3)[:64], None, arrived, arrived, "success", None, self.number,
             payment, 1, None)
        )  # fmt: skip

    def _alert(self, kind: str, cause: str, at: int, payment: int) -> None:
        """Dealt with, unless it is young."""
        closed = at < self.book.now - 4 * DAY
        # kind, cause, reservation, payment, details, due_by, created, mailed, closed, closed_by, why
        self._add(
            Alert, kind, cause, self.number, payment, f'{{"amount":{self.total},"currency":"EUR"}}', None, _at(at),
            _at(at + 60), *((_at(at + DAY), "staff:1", "seen to") if closed else (None, None, None)),
        )  # fmt: skip

    def _add(self, model: Any, *values: Any) -> int:
        return self.book._add(model, *values)


@cache
def _plain(name: str) -> str:
    """As people write their names in addresses."""
    return "".join(letter for letter in fold(name) if letter.isascii() and letter.isalnum())


@cache
def _words_of_name(name: str) -> tuple[bytes, ...]:
    return tuple(words_of("", name, "", ""))


@cache
def _words_of_domain(domain: str) -> tuple[bytes, ...]:
    return tuple(words_of("", "", f"x@{domain}", ""))[1:]


def search_words(code: str, first: str, last: str, local: str, domain: str, phone: str) -> list[bytes]:
    """What `words_of` gives, put together from parts that are worked out once; a test compares the two."""
    code, digits = code.lower(), phone.replace("+", "").replace(" ", "")
    words = (
        *(code.encode(), code[4:8].encode(), code[8:].encode(), *_words_of_name(first), *_words_of_name(last)),
        *(f"{local}@{domain}".encode()[:60], *(part.encode()[:60] for part in local.split("."))),
        *(domain.encode(), *_words_of_domain(domain), digits.encode(), digits[-9:].encode()),
    )
    return list(dict.fromkeys(word for word in words if word != b"x"))


# Into the database ----------------------------------------------------------------------------------------------------


def columns_of(model: Any) -> str:
    return ", ".join(field.column_name for field in model._meta.sorted_fields)


def fill(url: str, size: int, *, now: datetime = NOW, progress: Progress = lambda _: None) -> None:
    """A new database at that address with so many reservations. The portal's own connections are closed."""
    db.initialise(url)
    migrations.migrate()
    with db.connection():
        hotels.ensure_hotel()
        # Longer than any hotel keeps its guests' data: see above.
        house = {"name": "Casa do Limoeiro", "city": "Lisbon", "timezone": "Europe/Lisbon", "stripe_livemode": False}
        Hotel.update(installation="of_the_bench", retention_days=365_000, **house).execute()
    db.disconnect()
    started, book = time.monotonic(), Book(size, now)
    gc.disable()  # it would look through millions of rows again and again, none of which is part of a cycle
    try:
        _pour(book, url, started, progress)
    finally:
        gc.enable()


def _pour(book: Book, url: str, started: float, progress: Progress) -> None:
    writer = _Postgres(url) if url.startswith("postgres") else _Sqlite(url.removeprefix("sqlite:///"))
    models = {model._meta.table_name: model for model in TABLES}
    done = 0
    for chunk in book.chunks():
        for name, rows in chunk.items():
            if rows:
                writer.write(name, columns_of(models[name]), rows)
        done = min(book.size, done + CHUNK)
        if done % 50_000 == 0:
            progress(f"{done:,} of {book.size:,} reservations, {time.monotonic() - started:.0f} s")
    writer.finish(book.counts)
    progress(f"{book.size:,} reservations with all their indexes, {time.monotonic() - started:.0f} s")


class _Sqlite:
    """The fastest way into a file that nobody minds losing before it is finished."""

    def __init__(self, path: str) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-200000", "temp_store=MEMORY", "threads=2"):
            self.connection.execute(f"PRAGMA {pragma}")
        made = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        self.indexes = self.connection.execute(made).fetchall()
        self.connection.execute("BEGIN")
        for name, _ in self.indexes:
            self.connection.execute(f"DROP INDEX {name}")

    def write(self, table: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
        marks = ", ".join("?" * len(rows[0]))
        self.connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)

    def finish(self, _: dict[str, int]) -> None:
        for _, statement in self.indexes:
            self.connection.execute(statement)
        self.connection.execute("COMMIT")
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.close()


class _Postgres:
    """COPY, without looking up foreign keys where the server lets us."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True)
        self.connection.execute("SET synchronous_commit = off; SET maintenance_work_mem = '256MB'")
        with suppress(psycopg.errors.InsufficientPrivilege):
            self.connection.execute("SET session_replication_role = replica")
        made = """SELECT c.relname, pg_get_indexdef(i.indexrelid)
            FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
            WHERE NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid)"""
        self.indexes = self.connection.execute(made).fetchall()
        for name, _ in self.indexes:
            self.connection.execute(f"DROP INDEX {name}")

    def write(self, table: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
        with self.connection.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def finish(self, counts: dict[str, int]) -> None:
        for _, statement in self.indexes:
            self.connection.execute(statement)
        for table, count in counts.items():
            if count:
                self.connection.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {count})")
        self.connection.execute("VACUUM ANALYZE")  # as the server does by itself within the hour
        self.connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="Fill a new database with a hotel's past.")
    parser.add_argument("url", help="sqlite:///FILE or postgresql://…, without anything in it")
    parser.add_argument("size", type=int, help="reservations")
    asked = parser.parse_args()
    fill(asked.url, asked.size, progress=lambda line: print(line, flush=True))


if __name__ == "__main__":
    main()
