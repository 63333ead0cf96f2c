"""The net under the logs: what it takes out, and what it must let through."""

import io
import json

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from portal import logs
from portal.redaction import REMOVED, clean, clean_event, clean_text
from tests.test_log_watch import LEAKS

LETTERS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789_", min_size=16, max_size=60)
SECRETS = st.one_of(
    LETTERS.map("sk_live_{}".format),
    LETTERS.map("rk_test_{}".format),
    LETTERS.map("whsec_{}".format),
    LETTERS.map("portal_{}".format),
    LETTERS.map("https://pay.hotel.example/l/{}.x".format),
    LETTERS.map("Bearer {}".format),
    st.emails(),
    st.sampled_from(["4242424242424242", "4000 0000 0000 0002", "3782-822463-10005"]),
)
PIECES = st.sampled_from(
    [
        *("sk_", "rk", "_", "whsec_", "portal_", "bearer ", "/l/", "@", ".example", ":", " ", "-", "a", "Z9"),
        *("4242", "424242424242", "4242424242424242", "evt_1Qab", "7C2K-9V4T", "PAY-"),
    ]
)
AROUND = st.text(st.sampled_from(" \n\t'\"(),;"), min_size=1, max_size=4)


@given(SECRETS, AROUND, AROUND)
@settings(max_examples=150, deadline=None)
def test_no_secret_gets_through_wherever_it_stands(secret: str, before: str, after: str) -> None:
    text = f"it was{before}{secret}{after}and more"
    worst = secret.removeprefix("https://pay.hotel.example/l/").removeprefix("Bearer ")
    for written in (clean_text(text), str(clean({"a": [{"b": (text,)}]})), str(clean(ValueError(text)))):
        assert worst not in written
        assert REMOVED in written


@given(st.lists(PIECES, max_size=6).map("".join))
@settings(max_examples=1000, deadline=None)
def test_what_passes_for_an_id_at_first_sight_has_nothing_to_remove(text: str) -> None:
    assert clean_event(None, "info", {"event": text})["event"] == clean_text(text)


TEXTS = st.text(st.characters(codec=None) | st.characters(categories=["Cs"]))


@given(
    st.recursive(
        st.none() | TEXTS | st.integers() | st.floats(),
        lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    )
)
@settings(max_examples=200, deadline=None)
def test_whatever_is_logged_makes_one_line_that_machines_read(value: object) -> None:
    logs.configure("json")
    render = structlog.get_config()["processors"][-1]
    (line,) = str(render(None, "info", clean_event(None, "info", {"event": "x", "value": value}))).splitlines()
    assert line.isascii()
    assert json.loads(line)["event"] == "x"


@pytest.mark.parametrize("kind", [kind for kind in LEAKS if kind not in ("reset", "cookie", "guest")])
def test_what_the_watch_sees_the_net_catches(kind: str) -> None:
    cleaned = clean_event(None, "info", {"event": "x", **LEAKS[kind]})
    assert REMOVED in str(cleaned)


@pytest.mark.parametrize(
    "name", ["password", "api_key", "guest_name", "email", "Authorization", "smtp-password", "token"]
)
def test_private_fields_are_empty_whatever_they_hold(name: str) -> None:
    assert clean({name: "x", "inner": [{name: 7}]}) == {name: REMOVED, "inner": [{name: REMOVED}]}


@pytest.mark.parametrize(
    "text",
    [
        "7C2K-9V4T-B0XW", "PAY-4Z4ATP7AR0KN0117", "evt_1QabcDEF", "req_ABC123", "re_3NHy5", "pi_3NHy5",
        "2026-11-23T20:39:02.000000+00:00", "/l/<token>", "checkout.session.completed", "112500", "portal_requests",
    ],
)  # fmt: skip
def test_what_an_operator_searches_by_stays(text: str) -> None:
    assert clean_text(text) == text


def test_a_traceback_cannot_pass_for_a_line() -> None:
    written = io.StringIO()
    logs.configure("console")
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=written))
    try:
        raise ValueError("x\n2026-11-23T20:39:02Z [info] reservation confirmed")
    except ValueError as error:
        structlog.get_logger().error("fault", exc_info=error)
    first, *others = written.getvalue().splitlines()
    assert "fault" in first
    assert others
    assert all(line.startswith("    | ") or line == "Traceback (most recent call last):" for line in others if line)


@pytest.mark.parametrize(
    "address", ["=@A.Bb", "maria=@x.pt", "maria/@x.pt", "(maria)@x.pt", "'@x.pt", "maria.silva@x.pt"]
)
def test_of_an_odd_address_at_least_the_place_is_removed(address: str) -> None:
    assert address not in clean_text(f"to {address}, and more")
    assert REMOVED in clean_text(f"to {address}, and more")


def test_no_value_and_no_name_keeps_a_line_from_being_written() -> None:
    class Mute:
        def __str__(self) -> str:
            raise ValueError

        __bool__ = __len__ = __str__

    logs.configure("json")
    render = structlog.get_config()["processors"][-1]
    event = {
        "event": "x",
        "half \ud800": 1,
        "two\nlines": 10**5000,
        "odd": {Mute(): float("inf")},
        "mute": Mute(),
        "token": Mute(),
    }
    line = str(render(None, "info", clean_event(None, "info", event)))
    assert json.loads(line) == {
        "event": "x", "half \\ud800": 1, "two\\nlines": REMOVED, "odd": {"Mute": "Infinity"}, "mute": "Mute", "token": REMOVED,
    }  # fmt: skip
