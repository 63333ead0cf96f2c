"""The log as an operator follows it: from a click on Pay to the mail, by ids alone."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
import structlog

from portal import jobs, logs
from portal.deps import Deps
from portal.models import Payment, Reservation
from stripe_simulator import Control
from tests.actors import Guest, session_of
from tests.api.program import Program, make_token
from tests.mailbox import Mailbox

Make = Callable[..., Reservation]
Line = dict[str, Any]


@pytest.fixture
def read(portal: object) -> Callable[..., list[Line]]:
    """The lines that have these values, as machines read them."""
    buffer = io.StringIO()
    logs.configure("json")
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=buffer))

    def lines(**values: object) -> list[Line]:
        written = map(json.loads, buffer.getvalue().splitlines())
        return [line for line in written if values.items() <= line.items()]

    return lines


def confirmed_by(stripe: Control, event_id: str) -> str:
    """The kind of that event."""
    return next(str(event["type"]) for event in stripe.events() if event["id"] == event_id)


def test_from_pay_to_the_mail(
    guest: Guest, deps: Deps, mailbox: Mailbox, stripe: Control, make_reservation: Make, read: Callable[..., list[Line]]
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    session = session_of(guest.presses_pay())
    payment = Payment.get().public_id
    (pressed,) = read(event="request", rule="/reservations/<code>/pay", status=303)
    asked = read(event="stripe call", request=pressed["request"])
    assert [line["stripe_request"][:4] for line in asked] == ["req_"]
    assert {line["payment"] for line in asked} == {payment}

    stripe.pay(session)
    stripe.deliver()
    (confirmed,) = read(event="reservation confirmed", payment=payment)
    assert confirmed["reservation"] == reservation.code
    assert confirmed["event_id"].startswith("evt_")
    (answered,) = read(event="request", rule="/webhooks/stripe", event_id=confirmed["event_id"])
    assert (answered["request"], answered["status"]) == (confirmed["request"], 200)
    assert (answered["type"], answered["result"]) == (confirmed_by(stripe, answered["event_id"]), "success")

    jobs.run_once(deps)
    (sent,) = read(event="mail sent", payment=payment)
    assert (sent["job"], sent["kind"]) == ("send mails", "payment_received")
    assert sent["run"]
    assert "request" not in sent or sent["request"] != pressed["request"]


def test_a_program_gives_its_request_an_id_and_a_browser_does_not(
    guest: Guest, deps: Deps, make_reservation: Make, read: Callable[..., list[Line]]
) -> None:
    reservation = make_reservation()
    program = Program(guest.portal_url, make_token(deps, "reservations"))
    answer = program.get(f"/reservations/{reservation.code}", X_Correlation_Id="order-4711")
    assert (answer.status, answer.headers["X-Request-Id"]) == (200, "order-4711")
    assert read(event="request", request="order-4711")
    for bad in ("a b", "x" * 65, 'a","event":"b', "é"):
        program.get(f"/reservations/{reservation.code}", X_Correlation_Id=bad)
    guest.browser.get(guest.portal_url, headers={"X-Correlation-Id": "mine"})
    assert read(request="mine") == []
    assert all(line["request"] == "order-4711" or line["request"][0] == "r" for line in read(event="request"))


def test_lines_tell_what_they_are_about_until_that_is_done(read: Callable[..., list[Line]]) -> None:
    log = structlog.get_logger()
    logs.begin(request="r1")
    with logs.about(payment="PAY-1", job="own word"):
        with logs.about(payment="PAY-2"):
            log.info("inner", job="sweep")
        log.info("outer")
        logs.add(result="success")
    log.info("after")
    logs.begin(request="r2")
    log.info("next")
    told = [{name: line[name] for name in line if name not in ("level", "timestamp")} for line in read()]
    assert told == [
        {"event": "inner", "request": "r1", "payment": "PAY-2", "job": "sweep"},
        {"event": "outer", "request": "r1", "payment": "PAY-1", "job": "own word"},
        {"event": "after", "request": "r1"},
        {"event": "next", "request": "r2"},
    ]


def test_a_line_is_one_event_whoever_wrote_what_it_tells(read: Callable[..., list[Line]]) -> None:
    structlog.get_logger().info("first", told='x\n{"event": "second"}\r\u2028\ud800', **{"a\nkey": 1})
    (line,) = read()
    assert line["event"] == "first"
