"""No form without its token, no page that tells who exists, no address that leads elsewhere; over every route there is."""

import json
import re
from collections.abc import Callable

import pytest
from flask import Flask

from portal.deps import Deps
from portal.models import OutgoingMail, RateBucket, Reservation
from portal.services import api_tokens, passwords
from tests.actors import everything_stored, rows
from tests.mailbox import Mailbox
from tests.security.raw import Answer, Browser, cookie_of, guest_of, nobody, staff_of
from tests.security.test_who_may_what import address, kind_of, methods
from tests.staff.desk import EMAILS, PASSWORD, hire
from tests.statements import counted

pytestmark = pytest.mark.exhaustive

Make = Callable[..., Reservation]

PROGRAMS = ("api", "signed")
"""They have no cookie that another site could make a browser send: a token or a signature of their own instead."""


@pytest.mark.parametrize("token", ["", "csrf_token=IjEi.aaaa.bbbb"], ids=["none", "garbled"])
def test_every_form_needs_its_token(token: str, app: Flask, deps: Deps, make_reservation: Make) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    stay = make_reservation()
    people = {"staff": staff_of(app, deps, "manager")}
    guest = guest_of(app, stay)
    before, asked = everything_stored(), 0
    for rule in app.url_map.iter_rules():
        kind = kind_of(rule)
        if "POST" not in methods(rule) or kind in PROGRAMS:
            continue
        values = {**dict.fromkeys(rule.arguments, "1"), "code": stay.code, "name": "cancel"}
        answer = people.get(str(kind), guest).send("POST", address(rule, values), body=token.encode())
        assert answer.status == 400, (rule.rule, answer.status)
        assert "out of date" in answer.body, rule.rule
        asked += 1
    assert asked > 30
    assert everything_stored() == before


def test_a_token_of_somebody_elses_session_is_none(app: Flask, make_reservation: Make) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    stay = make_reservation()
    page = nobody(app).send("GET", "/")
    (token,) = set(re.findall(r'name="csrf_token" value="([^"]+)"', page.body))
    before = everything_stored()
    assert (
        guest_of(app, stay).send("POST", f"/reservations/{stay.code}/pay", body=f"csrf_token={token}".encode()).status
        == 400
    )
    assert everything_stored() == before


def work(monkeypatch: pytest.MonkeyPatch, ask: Callable[[], Answer]) -> tuple[Answer, list[str], int]:
    """The answer, which statements ran for it (without their values), and how many passwords were hashed."""
    hashed: list[int] = []
    verify = type(passwords.hasher).verify

    def noting(self: object, *args: object) -> bool:
        hashed.append(1)
        return bool(verify(self, *args))  # type: ignore[arg-type]

    with monkeypatch.context() as patch, counted(patch) as statements:
        patch.setattr(type(passwords.hasher), "verify", noting)
        answer = ask()
    return answer, list(statements), len(hashed)


def same(
    first: tuple[Answer, list[str], int], other: tuple[Answer, list[str], int], *, but: tuple[str, ...] = ()
) -> None:
    def plain(text: str) -> str:
        for word in but:
            text = text.replace(word, "…")
        return re.sub(r'value="[^"]{60,}"', "", text)  # the form's token, another each time

    assert first[0].status == other[0].status
    assert plain(first[0].body) == plain(other[0].body)
    length = {"Content-Length"} if but else set()
    assert {k: v for k, v in first[0].lasting.items() if k not in length} == {
        k: v for k, v in other[0].lasting.items() if k not in length
    }
    assert first[1] == other[1], "the same statements"
    assert first[2] == other[2], "the same number of hashes"


def test_finding_a_stay_tells_nothing_of_others(
    app: Flask, monkeypatch: pytest.MonkeyPatch, make_reservation: Make
) -> None:
    stay, over = make_reservation(), make_reservation(in_days=1, room="River room")
    Reservation.update(status="cancelled").where(Reservation.id == over.id).execute()

    def find(code: str, email: str) -> tuple[Answer, list[str], int]:
        body = f"code={code}&email={email}".encode()
        return work(monkeypatch, lambda: nobody(app).send("POST", "/find", body=body))

    find("7H4K2MQX9TBC", "a@b.example")
    missed = find("7H4K2MQX9TBC", "a@b.example")
    assert missed[0].status == 404
    for code in (stay.code, over.code):
        same(missed, find(code, "a@b.example"), but=("7H4K2MQX9TBC", code))


def test_asking_for_a_link_tells_nothing(
    app: Flask, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, make_reservation: Make
) -> None:
    stay = make_reservation()

    def ask(email: str) -> Answer:
        return nobody(app).send("POST", "/link", body=f"link_email={email}".encode())

    unknown, known = ask("nobody@else.example"), ask(stay.email)
    assert (unknown.status, unknown.body, unknown.lasting) == (known.status, known.body, known.lasting)
    assert [mail.kind for mail in rows(OutgoingMail)] == ["private_link"]


def test_signing_in_tells_nothing_of_who_works_here(app: Flask, deps: Deps, monkeypatch: pytest.MonkeyPatch) -> None:
    hire(deps, "manager")
    gone = hire(deps, "reception")
    type(gone).update(disabled_at=deps.now()).where(type(gone).id == gone.id).execute()

    def sign_in(email: str, password: str) -> tuple[Answer, list[str], int]:
        body = f"email={email}&password={password}".encode()
        return work(monkeypatch, lambda: nobody(app).send("POST", "/staff/sign-in", body=body))

    sign_in("x@else.example", "wrong password")
    unknown = sign_in("y@else.example", "wrong password")
    assert (unknown[0].status, unknown[2]) == (400, 1)
    for email, password in ((EMAILS["manager"], "wrong password"), (EMAILS["reception"], PASSWORD.replace(" ", "+"))):
        same(unknown, sign_in(email, password), but=("y@else.example", email))


def test_asking_for_a_new_password_tells_nothing(app: Flask, deps: Deps, mailbox: Mailbox) -> None:
    hire(deps, "manager")
    answers = [
        nobody(app).send("POST", "/staff/forgot", body=f"email={email}".encode())
        for email in ("nobody@else.example", EMAILS["manager"])
    ]
    assert (answers[0].status, answers[0].body, answers[0].lasting) == (
        answers[1].status,
        answers[1].body,
        answers[1].lasting,
    )
    assert [mail.kind for mail in rows(OutgoingMail)] == ["password_reset"]


def test_a_programs_token_tells_nothing(app: Flask, deps: Deps) -> None:
    revoked = api_tokens.add_token(deps, "old")
    assert api_tokens.revoke_token(deps, api_tokens.list_tokens()[0].id)
    for rule in app.url_map.iter_rules():
        if kind_of(rule) == "api" and rule.rule != "/api/openapi.json":
            for method in methods(rule):
                answers = [
                    Browser(app, extra={"Authorization": f"Bearer {token}"}).send(method, address(rule, {}))
                    for token in ("portal_unknown", revoked)
                ]
                assert [answer.status for answer in answers] == [401, 401], rule.rule


NEXT = (
    *("//evil.example", "/\\evil.example", "https:evil.example", "https://evil.example", "%2f%2fevil.example", "\t//evil"),
    *("/staff/\r\nSet-Cookie: a=b", "/staff//evil.example", "/staff/\\evil", "javascript:alert(1)", "/reservations/x", "/staff/../x"),
    *("///evil.example", "/staff", "staff/", "http:/staff/", "/staff/\u202e", "\x00/staff/", "/STAFF/x", "/staff/./x"),
)  # fmt: skip


@pytest.mark.parametrize("wanted", NEXT, ids=repr)
def test_the_way_on_after_signing_in_stays_here(wanted: str, app: Flask, deps: Deps) -> None:
    browser = staff_of(app, deps, "reception")
    query = f"next={''.join(f'%{byte:02x}' for byte in wanted.encode())}"
    answer = browser.send("GET", "/staff/sign-in", query=query, headers={"Referer": "https://evil.example/"})
    assert (answer.status, answer.headers["Location"]) == (303, "/staff/")


def test_a_field_that_comes_twice_is_refused(app: Flask, make_reservation: Make) -> None:
    stay = make_reservation()
    body = f"code={stay.code}&code=7H4K2MQX9TBC&email={stay.email}".encode()
    assert nobody(app).send("POST", "/find", body=body).status == 400
    assert rows(RateBucket) == []


def test_what_only_the_server_decides_is_noted(
    app: Flask, deps: Deps, make_reservation: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    """And other people's rows that somebody asks for: in the log, without what was sent."""
    from portal import logs

    logs.configure("json")
    stay, other = make_reservation(), make_reservation(room="River room")
    browser = guest_of(app, stay)
    capsys.readouterr()
    browser.send("POST", f"/reservations/{stay.code}/pay", body=b"amount=1&currency=jpy&price=Carvalho")
    browser.send("GET", f"/reservations/{other.code}")
    browser.send("GET", f"/reservations/{stay.code}/payments/PAY-AAAAAAAAAAAAAAAA/receipt")
    written = capsys.readouterr().err
    lines = [json.loads(line) for line in written.splitlines()]
    (tampering,) = [line for line in lines if line["event"] == "tampering"]
    assert tampering["fields"] == ["amount", "currency", "price"]
    assert [line["event"] for line in lines].count("foreign id") == 2
    for word in ("jpy", "Carvalho", other.code, "PAY-AAAA"):
        assert word not in written


def test_odd_cookies_are_strangers(app: Flask, deps: Deps, make_reservation: Make) -> None:
    """Well signed, of a shape that we never write; too long; twice."""
    stay = make_reservation()
    odd: tuple[dict[str, object], ...] = ({"stays": None}, {"stays": {"x": 1}}, {"stays": [[stay.code, 9]]}, {})
    cookies = [cookie_of(app, content, "guest") for content in odd]
    right = cookie_of(app, {"stays": [[stay.code, 1]]}, "guest")
    for cookie in [*cookies, "guest=" + "A" * 8_000, f"guest=x; {right}x", right.replace("guest=", "staff=")]:
        browser = Browser(app, cookie)
        assert browser.send("GET", f"/reservations/{stay.code}").status == 404, cookie[:80]
        assert browser.send("GET", "/").status == 200


def test_what_was_packed_is_not_unpacked(app: Flask) -> None:
    """A form in gzip is read as the bytes it is: a small one cannot grow in memory."""
    import gzip

    body = gzip.compress(b"code=" + b"7" * 50_000_000, 9)
    assert len(body) < 64 * 1024
    assert nobody(app).send("POST", "/find", body=body, headers={"Content-Encoding": "gzip"}).status == 400
