"""Thousands of requests that no browser makes, over every address, by a manager, a guest, a program and nobody. The order is drawn
from a seed, so a failure comes again. `make deep` sends 100,000."""

import os
import random
from collections.abc import Callable, Iterator
from urllib.parse import quote, quote_from_bytes

import pytest
from flask import Flask
from werkzeug.routing import Rule

from portal.deps import Deps
from portal.models import Payment, Refund, Reservation, Staff
from portal.services import api_tokens
from tests.actors import Clock, everything_stored
from tests.security.raw import FORM, HOST, Answer, Browser, guest_of, nobody, staff_of

SEED = 20_261_118
MONEY = ("Reservation", "Payment", "Refund", "Dispute", "Cancellation", "RoomNight")
RETURN_PAGES = ("guest.success", "guest.failed")
GUARDS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}

TEXTS = (
    *("", " ", "0", "-1", "+7", " 7 ", "0x7", "1e9", "1_000", "٣", "½", "²", "NaN", "inf", "-0", "00", "9" * 400),
    *("2147483648", "9223372036854775808", "-9223372036854775809", "49", "999999.995", "1.125,00"),
    *(
        "\x00",
        "a\x00b",
        "\x07",
        "\r\nBcc: x@evil.example",
        "\n\n",
        "\t//evil",
        "\x85",
        "\u2028",
        "\u202eevil",
        "\u200b",
    ),
    *("\ud800", "\udfff\ud800", "\ufffe", "\U0010ffff", "e\u0301" * 40, "\ufdfa" * 30, "ﬀ", "İ", "ß", "Ａ"),
    *(
        "<script>alert(1)</script>",
        "{{7*7}}",
        "{% raw %}",
        '"><img src=x onerror=1>',
        "javascript:alert(1)",
        "%s%n",
        "%00",
    ),
    *("=HYPERLINK(1)", "@x", "';--", "' OR 1=1", "../../etc/passwd", "..%2f", "\\evil", "//evil.example", "https:evil"),
    *("0000-00-00", "2026-02-31", "9999-12-31", "10000-01-01", "2026-W51-5", "2026-12-18T00:00", "0001-01-01", "24:00"),
    *(
        "a@b",
        "@",
        "a" * 300 + "@b.example",
        "x" * 5_000,
        "[]",
        "{}",
        "null",
        "true",
        "Europe/Nowhere",
        "../UTC",
        "#12345",
    ),
)
NAMES = (
    *(
        "code",
        "email",
        "link_email",
        "csrf_token",
        "percent",
        "due",
        "reason",
        "password",
        "next",
        "amount",
        "sum",
        "name",
    ),
    *(
        "role",
        "room",
        "night",
        "start",
        "end",
        "first",
        "last",
        "check_in",
        "check_out",
        "guest_name",
        "phone",
        "adults",
    ),
    *("children", "lines-0-label", "lines-0-amount", "lines-0-vat_percent", "tiers-0-days", "tiers-0-percent", "text"),
    *(
        "q",
        "view",
        "page",
        "after",
        "before",
        "order",
        "month",
        "from",
        "to",
        "status",
        "kind",
        "why",
        "colour",
        "timezone",
    ),
    *(
        "currency",
        "retention_days",
        "scopes",
        "totp",
        "version",
        "locale",
        "hold_hours",
        "capacity",
        "file",
        "logo",
        "cursor",
    ),
)
HEADERS = (
    ("Accept-Language", "de;q=nan,*;q=-1,xx-YY-zz"),
    ("Accept-Language", "," * 3_000),
    ("Accept", "\x01/\xff"),
    ("X-HTTP-Method-Override", "DELETE"),
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-For", "1.2.3.4, \xff, [::"),
    ("X-Forwarded-Proto", "javascript"),
    ("Forwarded", "for=_evil;host=evil.example;proto=gopher"),
    ("X-Original-URL", "/staff/settings"),
    ("Referer", "https://evil.example/\xff"),
    ("Origin", "null"),
    ("Range", "bytes=5-1,-0,9999999999999-"),
    ("If-None-Match", "\x00," * 500),
    ("If-Modified-Since", "Thu, 99 Foo 0000 99:99:99 GMT"),
    ("Authorization", "Bearer \xff\x00" + "A" * 4_000),
    ("Authorization", "Basic ===="),
    ("Content-Encoding", "gzip"),
    ("Transfer-Encoding", "chunked, chunked"),
    ("Expect", "200-maybe"),
    ("Content-Length", "-5"),
    ("Content-Length", "99999999999999"),
    ("Content-Length", "seven"),
    ("User-Agent", "\xff" * 9_000),
    ("Stripe-Signature", "t=1,v1=é,v0=,t=999999999999999999999"),
    ("Cookie", "guest=" + "A" * 8_000),
    ("Cookie", "guest=a; guest=b; staff=c; staff=d"),
    ("Cookie", '"; guest; =;;\xff=\x00'),
    ("Cookie", "staff=eyJ0b2tlbiI6WzFdfQ.aaaa.bbbb"),
    ("Host", "evil.example"),
    ("Host", "127.0.0.1:8000@evil.example"),
    ("Host", ""),
)
BODIES = (
    (b"\xff\xfe\x00&=&&;=%", FORM),
    (b"code=%FF%FE&email=%ED%A0%80", FORM),
    (b"&".join(b"f%d=1" % number for number in range(10_000)), FORM),
    (b"[" * 20_000, "application/json"),
    (b'{"a":' * 3_000 + b"1" + b"}" * 3_000, "application/json"),
    (b'{"amount": 1e999, "amount": "\\ud800"}', "application/json; charset=utf-7"),
    (b"--x\r\nContent-Disposition: form-data; name=", "multipart/form-data; boundary=x"),
    (b'--x\r\nContent-Disposition: form-data; name="file"; filename="../\xff"\r\n\r\n\x00\r\n--x--', "multipart/form-data; boundary=x"),
    (b'--x\r\nContent-Disposition: form-data; name="logo"; filename="a.png"\r\n\r\n\x89PNG\r\n\x1a\n\r\n--x--', "multipart/form-data; boundary=x"),
    (b"x", "multipart/form-data"),
    (b"x", "multipart/form-data; boundary=" + "y" * 500),
    (b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", "text/xml"),
    (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "application/gzip"),
    (b"x" * 70_000, FORM),
    (b"code=1", "application/x-www-form-urlencoded; charset=nowhere"),
    (b"code=1", "\xff/\xff"),
)  # fmt: skip
METHODS = (
    "GET",
    "GET",
    "GET",
    "HEAD",
    "POST",
    "POST",
    "POST",
    "OPTIONS",
    "PUT",
    "DELETE",
    "TRACE",
    "get",
    "PRI",
    "\xff",
)


class Chaos:
    """Draws requests; `known` are values that rows of the portal really have, so that some get further than the door."""

    def __init__(self, app: Flask, known: dict[str, list[str]], seed: int) -> None:
        self.random, self.known = random.Random(seed), known
        self.rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"]

    def path(self, rule: Rule) -> bytes:
        parts = [
            self._part(part[1:-1].split(":")[-1]) if part[:1] == "<" else part.encode() for part in rule.rule.split("/")
        ]
        raw = b"/".join(parts)
        if self.random.random() < 0.05:
            raw += self.random.choice(
                (b"/", b".css", b";jsessionid=1", b"/..", b"\x00", b"\xff\xfe", b"...", b"/" + b"x" * 5_000)
            )
        return raw

    def _part(self, name: str) -> bytes:
        if self.random.random() < 0.7:
            return self.random.choice(self.known.get(name, ["1"])).encode()
        return self.text().encode("utf-8", "surrogatepass")

    def text(self) -> str:
        return self.random.choice(TEXTS)

    def pairs(self) -> str:
        fields = [(self.random.choice(NAMES), self.text()) for _ in range(self.random.randrange(1, 9))]
        return "&".join(f"{name}={quote_from_bytes(value.encode('utf-8', 'surrogatepass'))}" for name, value in fields)

    def headers(self) -> dict[str, str]:
        return dict(self.random.sample(HEADERS, self.random.choice((0, 0, 0, 1, 1, 2))))

    def body(self, method: str) -> tuple[bytes, str]:
        if method != "POST":
            return b"", ""
        if self.random.random() < 0.25:
            return self.random.choice(BODIES)
        return self.pairs().encode(), FORM

    def sends(self, browser: Browser, method: str | None = None) -> tuple[str, Answer]:
        rule = self.random.choice(self.rules)
        method = method or self.random.choice(METHODS)
        body, content_type = self.body(method)
        query = (
            self.pairs() if self.random.random() < 0.5 else self.random.choice(("", "%", "&&=", "\xff=\xfe", "a[]=1"))
        )
        path = self.path(rule)
        answer = browser.send(method, path, query=query, body=body, content_type=content_type, headers=self.headers())
        return f"{method} {path[:200]!r} ? {query[:300]!r} {body[:300]!r}", answer


def known_values() -> dict[str, list[str]]:
    codes = [row.code for row in Reservation.select()]
    return {
        "code": [*codes, codes[0].lower()],
        "payment_id": [row.public_id for row in Payment.select()],
        "refund_id": [row.public_id for row in Refund.select()],
        "name": ["cancel", "refund", "offline", "anonymise", "send-link", "hold", "check", "grant", "retry-refund", "confirm"],
        "event_id": ["evt_1", "x"],
    }  # fmt: skip


def money_rows() -> dict[str, list[object]]:
    return {name: rows for name, rows in everything_stored().items() if name in MONEY}


def check(told: str, answer: Answer, pay_at: tuple[str, ...] = ()) -> None:
    assert answer.status < 500, (told, answer.status)
    assert "Traceback" not in answer.body, told
    for name, value in GUARDS.items():
        assert answer.headers.get(name) == value, (told, name)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"], told
    location = answer.headers.get("Location", "/").removeprefix(f"http://{HOST}")
    for origin in pay_at:
        location = location.removeprefix(origin)
    assert location.startswith("/"), (told, location)
    assert not location.startswith(("//", "/\\")), (told, location)
    assert "\n" not in "".join(answer.headers.values()), told


def people(app: Flask, deps: Deps, stay: Reservation) -> Iterator[tuple[str, Callable[[], Browser]]]:
    """Each with the way to sign in again, for among the requests are those that end a sign-in or disable somebody."""

    def manager() -> Browser:
        Staff.update(role="manager", disabled_at=None, must_change_password=False).execute()
        return staff_of(app, deps, "manager")

    yield "a manager", manager
    yield "a guest", lambda: guest_of(app, Reservation.get_by_id(stay.id))
    yield "nobody", lambda: nobody(app)
    token = api_tokens.add_token(deps, "fuzz")
    yield "a program", lambda: Browser(app, extra={"Authorization": f"Bearer {token}"})


def run(app: Flask, deps: Deps, clock: Clock, stay: Reservation, count: int, seed: int) -> None:
    for number, (who, signs_in) in enumerate(people(app, deps, stay)):
        chaos, browser = Chaos(app, known_values(), seed + number), signs_in()
        before, everywhere = money_rows(), chaos.rules
        chaos.rules = [rule for rule in everywhere if rule.endpoint not in RETURN_PAGES]
        for turn in range(count // 2):  # looking changes nothing about money, but on the two return pages
            told, answer = chaos.sends(browser, chaos.random.choice(("GET", "GET", "GET", "HEAD", "OPTIONS")))
            check(f"{who}, GET {turn}: {told}", answer)
            if turn % 25 == 0:
                assert money_rows() == before, f"{who}, among the 25 before {turn}: {told}"
        assert money_rows() == before, who
        chaos.rules = everywhere
        for turn in range(count // 2):
            if turn % 20 == 0:
                browser = signs_in()
                browser.address = f"203.0.113.{turn // 20 % 250}"
            if turn % 200 == 199:
                clock.advance(minutes=16)
            told, answer = chaos.sends(browser)
            check(f"{who}, {turn}: {told}", answer, deps.settings.checkout_origins)


def test_nothing_that_is_sent_makes_a_fault(
    app: Flask,
    deps: Deps,
    clock: Clock,
    theirs: object,
    make_reservation: Callable[..., Reservation],
    database_url: str,
) -> None:
    count = 500 if database_url.startswith("sqlite") else 40
    run(app, deps, clock, make_reservation(), count, SEED)


def test_with_the_question_for_the_forms_token_nothing_is_done_at_all(
    app: Flask, deps: Deps, theirs: object, make_reservation: Callable[..., Reservation], database_url: str
) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    stay = make_reservation()
    counted = {"RateBucket": None, "ApiToken": None}  # guesses, and when a token was used last
    for number, (_, signs_in) in enumerate(people(app, deps, stay)):
        browser = signs_in()
        before = everything_stored()
        chaos = Chaos(app, known_values(), SEED - 1 - number)
        for turn in range(80 if database_url.startswith("sqlite") else 8):
            told, answer = chaos.sends(browser, "POST")
            check(f"{turn}: {told}", answer)
            # Programs have tokens instead, and guessing those is counted.
            assert answer.status in (303, 308, 400, 401, 404, 405, 413, 415, 429), (told, answer.status)
        assert {**everything_stored(), **counted} == {**before, **counted}


@pytest.mark.deep
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("seed", range(10))
def test_a_hundred_thousand(
    seed: int, app: Flask, deps: Deps, clock: Clock, theirs: object, make_reservation: Callable[..., Reservation]
) -> None:
    if deps.settings.database_url.startswith("sqlite") or os.environ.get("DEEP"):
        run(app, deps, clock, make_reservation(), 2_500, SEED + 100 * (seed + 1))


def test_an_escaped_address_is_the_address(app: Flask, make_reservation: Callable[..., Reservation]) -> None:
    """What the generator calls a path is what a server hands on: decoded once and never again."""
    stay = make_reservation()
    assert guest_of(app, stay).send("GET", f"/reservations/{quote(quote(stay.code + '/'))}").status == 404
