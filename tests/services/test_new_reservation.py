"""A new reservation is read with care: every problem is named, nothing is guessed."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.services.new_reservation import FIELDS, BadReservation, read

TODAY = date(2026, 11, 23)
GOOD: dict[str, Any] = {
    "room": "Garden room",
    "guest_name": "Inês Carvalho",
    "email": "ines@carvalho.example",
    "check_in": "2026-12-18",
    "check_out": "2026-12-21",
    "lines": [{"label": "Garden room", "amount": 56_700, "vat_percent": "6"}],
}


def problems(**changes: Any) -> dict[str, str]:
    with pytest.raises(BadReservation) as bad:
        read({**GOOD, **changes}, currency="EUR", today=TODAY)
    return bad.value.problems


def test_a_good_one_is_read_as_it_is_meant() -> None:
    new = read({**GOOD, "adults": 2, "hold_hours": 48}, currency="EUR", today=TODAY)
    assert (new.total, new.check_in, new.adults, new.hold_hours) == (56_700, date(2026, 12, 18), 2, 48)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("room", ""), ("room", None), ("room", 7), ("room", "x" * 201), ("room", "a\0b"), ("room", "a\nb"),
        ("guest_name", "  "), ("guest_name", "\ud800"), ("guest_name", "x\r\nBcc: y"), ("guest_name", ["x"]),
        ("email", "ines"), ("email", "a@b@c.example"), ("email", "ines@carvalho.example\r\nBcc: x@y.example"), ("email", ""),
        ("check_in", "2026-02-31"), ("check_in", "0000-00-00"), ("check_in", "18.12.2026"), ("check_in", "20261218"),
        ("check_in", "2026-W51-5"), ("check_in", "9999-12-30"), ("check_in", "2031-11-28"), ("check_in", "２０２６-12-18"), ("check_in", " 2026-12-18"),
        ("check_out", "9999-12-31"), ("check_out", "2026-12-3"), ("check_out", True), ("phone", None), ("locale", 7), ("send_link", 1),
        ("guest_name", "x\x7fy"), ("guest_name", "x\x85y"), ("guest_name", "x\u2028y"), ("guest_name", "evil\u202egnp.exe"), ("guest_name", "\u2066x"),
        ("adults", float("nan")), ("adults", 10**9), ("children", True), ("hold_hours", 24 * 60 + 1), ("hold_hours", "٣"), ("adults", 2**63),
        ("check_in", 7), ("check_in", None), ("check_in", "2026-11-22"), ("check_in", "9999-99-99"),
        ("check_out", "2026-12-18"), ("check_out", "2026-12-17"), ("check_out", "2028-01-22"),
        ("adults", 0), ("adults", -1), ("adults", True), ("adults", "2"), ("adults", 2.0), ("adults", 51), ("adults", 10**30),
        ("children", -1), ("hold_hours", 0), ("hold_hours", float("nan")),
        ("lines", []), ("lines", "x"), ("lines", [{"label": "x", "amount": 1}] * 51), ("lines", [{"label": "x", "amount": 49}]),
        ("lines", [{"label": "x", "amount": -100}]), ("lines", [{"label": "x", "amount": 99_999_999}, {"label": "y", "amount": 1}]),
    ],
)  # fmt: skip
def test_a_bad_field_is_named(field: str, value: Any) -> None:
    assert field in problems(**{field: value})


@pytest.mark.parametrize(
    "line",
    [
        {"label": "x"}, {"amount": 100}, {"label": "", "amount": 100}, {"label": "x", "amount": "100"}, {"label": "x", "amount": 1.5},
        {"label": "x", "amount": True}, {"label": "x", "amount": 100, "price": 1}, {"label": "x", "amount": 100, "vat_percent": "six"},
        {"label": "x", "amount": 100, "vat_percent": "101"}, {"label": "x", "amount": 100, "vat_percent": "-1"}, "x", None,
        {"label": "x", "amount": 100, "detail": 7}, {"label": "x", "amount": float("nan")}, {"label": "x", "amount": float("inf")}, {"label": "x", "amount": None},
        {"label": "x", "amount": 10**9}, {"label": "x", "amount": -(10**9)}, {"label": "x", "amount": 10**400}, {"label": "x\0", "amount": 100}, ["x", 100],
        {"label": "x", "amount": 100, "vat_percent": float("nan")}, {"label": "x", "amount": 100, "vat_percent": True}, {"label": "x", "amount": 100, "vat_percent": "٦"},
        {"label": "x", "amount": 100, "vat_percent": "1e1"}, {"label": "x", "amount": 100, "vat_percent": "5.1234"}, {"label": "x", "amount": 100, "vat_percent": [6]},
    ],
)  # fmt: skip
def test_a_bad_price_line_is_named(line: Any) -> None:
    assert "lines[1]" in problems(lines=[{"label": "Room", "amount": 500}, line])


def test_unknown_fields_are_refused_and_all_problems_told_at_once() -> None:
    found = problems(total=1, room="", email="x", check_in="x")
    assert set(found) == {"total", "room", "email", "check_in"}


def test_what_is_wrong_with_dates_and_prices_is_told_beside_everything_else() -> None:
    found = problems(email="x", check_in="2026-11-22", check_out="2026-11-22", lines=[{"label": "x", "amount": 49}])
    assert set(found) == {"email", "check_in", "check_out", "lines"}
    assert found["lines"] == "add up to 49; the total must be 0 or 50 to 99999999 (minor units)"
    assert set(problems(check_in="x", check_out="2020-01-01")) == {
        "check_in"
    }  # nothing is made up from what is unreadable


@pytest.mark.parametrize(
    ("check_in", "check_out"),
    [
        ("2026-11-23", "2026-11-24"),
        ("2028-02-28", "2028-02-29"),
        ("2027-01-01", "2028-01-02"),
        ("2031-11-27", "2031-11-28"),
    ],
)
def test_the_first_and_the_last_dates_that_can_be_booked(check_in: str, check_out: str) -> None:
    new = read({**GOOD, "check_in": check_in, "check_out": check_out}, currency="EUR", today=TODAY)
    assert (new.check_in.isoformat(), new.check_out.isoformat()) == (check_in, check_out)


@pytest.mark.parametrize(("currency", "least"), [("EUR", 50), ("JPY", 50), ("CZK", 1500)])
def test_the_least_price_is_the_currencys(currency: str, least: int) -> None:
    for amount, fine in ((least, True), (least - 1, False)):
        data = {**GOOD, "lines": [{"label": "x", "amount": amount}]}
        if fine:
            assert read(data, currency=currency, today=TODAY).total == amount
        else:
            with pytest.raises(BadReservation, match="lines"):
                read(data, currency=currency, today=TODAY)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*FIELDS, "else"]), JSON), st.booleans())
@settings(max_examples=400, derandomize=True, deadline=None)
def test_no_json_breaks_the_reading(data: dict[str, Any], good_otherwise: bool) -> None:
    found = problems_or_none({**GOOD, **data} if good_otherwise else data)
    assert found is None or all(why and "\n" not in why for why in found.values())
    assert found != {}


def problems_or_none(data: dict[str, Any]) -> dict[str, str] | None:
    try:
        new = read(data, currency="EUR", today=TODAY)
    except BadReservation as bad:
        return bad.problems
    assert TODAY <= new.check_in < new.check_out
    assert new.total == 0 or new.total >= 50
    return None


@pytest.mark.parametrize(
    "name", ["José María Ñandú", "Zoë O’Brien-Łukasz", "山田 太郎", "محمد", "नमस्ते", "می\u200cخواهم", "👩‍👩‍👧"]
)
def test_names_of_the_whole_world_are_names(name: str) -> None:
    assert read({**GOOD, "guest_name": name}, currency="EUR", today=TODAY).guest_name == name


@pytest.mark.parametrize("data", [None, [], "x", 7])
def test_what_is_no_object_is_refused(data: Any) -> None:
    with pytest.raises(BadReservation):
        read(data, currency="EUR", today=TODAY)


def test_a_total_of_nothing_and_a_discount_are_fine() -> None:
    assert read({**GOOD, "lines": [{"label": "Gift", "amount": 0}]}, currency="EUR", today=TODAY).total == 0
    lines = [{"label": "Room", "amount": 10_000}, {"label": "Discount", "amount": -2_000}]
    assert read({**GOOD, "lines": lines}, currency="EUR", today=TODAY).total == 8_000
