"""The log tells ids, states and sums; no name, e-mail, token or secret."""

import io
import json
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
import structlog

from portal import jobs, logs
from portal.deps import Deps
from portal.models import Hotel, Reservation
from portal.services import links, settlement
from stripe_simulator import Control
from tests.actors import Clock, Guest, names_of, session_of
from tests.conftest import WEBHOOK_SECRET

Make = Callable[..., Reservation]


@pytest.fixture
def lines(portal: object) -> io.StringIO:
    """What the portal writes, in the form that machines read."""
    buffer = io.StringIO()
    logs.configure("json")
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=buffer))
    return buffer


def test_no_log_line_says_who_anybody_is(
    lines: io.StringIO,
    guest: Guest,
    stripe: Control,
    clock: Clock,
    deps: Deps,
    make_reservation: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reservation = make_reservation(phone="+351 912 345 678")
    link = links.make_link(deps, reservation)
    guest.goes_to(urlsplit(link).path)
    cookie, token = guest.browser.cookies["guest"], guest.page.fields(guest.page.forms("/pay")[0])["csrf_token"]
    stripe.pay(session_of(guest.presses_pay()), card="4000000000000002", name="Inês Carvalho")
    guest.goes_to(f"/reservations/{reservation.code}/failed")
    stripe.fault("401", times=9)
    guest.presses_pay_in_vain()
    stripe.clear_faults()
    guest.goes_to(f"/reservations/{reservation.code}")
    session = session_of(guest.presses_pay())
    stripe.pay(session, name="Inês Carvalho")
    with monkeypatch.context() as broken:
        broken.setattr(settlement, "_keep", lambda *_: 1 / 0)
        stripe.deliver()
    stripe.charge_elsewhere(9, metadata=names_of(reservation, "PAY-X"))
    stripe.deliver()
    stripe.deliver(again=True, timestamp_offset=999)
    guest.finds(reservation.code, "mistyped@carvalho.example")
    guest.goes_to("/l/" + link.rsplit("/", 1)[1][:-2])
    guest.browser.post(f"{guest.portal_url}/find", data={"email": reservation.email})
    clock.advance(hours=1)
    jobs.run_once(deps)

    written = lines.getvalue()
    assert reservation.code in written, "what happened can be followed"
    assert "fault" in [json.loads(line)["event"] for line in written.splitlines()]
    key, secret = deps.settings.stripe_secret_key, deps.settings.secret_keys[0]
    private = [reservation.email, "Carvalho", "carvalho", "Inês", "912 345", link.rsplit("/", 1)[1], cookie, token]
    for word in [*private, key, secret, WEBHOOK_SECRET, "sk_test", "whsec_", session, Hotel.get_by_id(1).installation]:
        assert word not in written, word


def test_every_line_of_a_request_has_its_id(lines: io.StringIO, guest: Guest, make_reservation: Make) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    written = [json.loads(line) for line in lines.getvalue().splitlines()]
    (opened,) = [line for line in written if line.get("rule") == "/l/<token>"]
    assert opened["request"].startswith("r")
    assert written[-1]["request"] == guest.answer.headers["X-Request-Id"]
