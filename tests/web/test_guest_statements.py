"""What a guest's pages ask of the database: the same four statements, whatever has been paid and sent back, and
three where nothing was paid that could be."""

from collections.abc import Callable

import pytest

from portal.deps import Deps
from portal.models import Reservation
from portal.services import offline_payments, staff_refunds
from portal.services.new_reservation import NewLine
from tests.actors import Guest
from tests.statements import in_order

Make = Callable[..., Reservation]

EVERYTHING = ["SELECT reservation", "SELECT payment", "SELECT refund", "SELECT reservation_line"]
"""The first finds out whether this browser may see the stay, and reads its room and the house along with it."""


@pytest.mark.parametrize("page", ["", "/payments"])
def test_a_page_takes_four_statements_however_much_was_paid_and_sent_back(
    page: str, guest: Guest, deps: Deps, make_reservation: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    stay = make_reservation(lines=[NewLine(f"Night {number}", 10_000) for number in range(1, 6)])
    guest.opens_link(stay)
    path = f"/reservations/{stay.code}{page}"
    assert _asked_by(guest, path, monkeypatch) == [one for one in EVERYTHING if one != "SELECT refund"]
    for number in range(1, 4):
        _is_paid_and_sent_back(deps, stay, number)
        assert _asked_by(guest, path, monkeypatch) == EVERYTHING


def _asked_by(guest: Guest, path: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    with in_order(monkeypatch) as happened:
        assert guest.goes_to(path).status == 200
    return happened


def _is_paid_and_sent_back(deps: Deps, stay: Reservation, number: int) -> None:
    """A part of the price in cash, and a part of that back again."""
    due = Reservation.get_by_id(stay.id).amount_due
    payment = offline_payments.record_offline(deps, stay.id, 10_000, "staff 1", seen_due=due, how="in cash")
    staff_refunds.refund_by_staff(deps, payment.id, 100 * number, reason="goodwill", actor="staff 1")
