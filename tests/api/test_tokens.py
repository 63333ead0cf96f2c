"""Who gets in: nobody learns from a refusal what there is, and guessing is stopped."""

from collections.abc import Callable

import pytest
import requests

from portal.deps import Deps
from portal.models import ApiToken, Reservation
from portal.services import api_tokens, guest_links, throttle
from tests.actors import Clock, LivePortal, rows
from tests.api.program import Program, link_token, make_token

Make = Callable[..., Reservation]


def test_whatever_is_wrong_with_a_token_the_answer_is_the_same(
    program: Program, deps: Deps, make_reservation: Make
) -> None:
    stay = make_reservation()
    revoked = make_token(deps)
    api_tokens.revoke_token(deps, rows(ApiToken)[-1].id)
    old_link = link_token(deps, stay)
    guest_links.revoke(deps, stay.id, version=1, send_new=False, actor="test")
    wrong = ["", "portal_nothing", revoked, old_link, "x" * 5000, "é".encode().decode("latin-1"), program.token[:-1]]
    answers = [Program(program.url, token).get(f"/reservations/{stay.code}") for token in wrong]
    answers.append(Program(program.url, "", {"Authorization": f"Basic {program.token}"}).get("/reservations/x"))
    assert {answer.status for answer in answers} == {401}
    assert {str(answer.body) for answer in answers} == {str(answers[0].body)}
    assert answers[0].code == "ERR_AUTH"
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {"Bearer"}


def test_guessing_is_stopped_but_a_good_token_goes_on(program: Program, make_reservation: Make) -> None:
    stay = make_reservation()
    guesser = Program(program.url, "portal_guess")
    answers = [guesser.get(f"/reservations/{stay.code}") for _ in range(21)]
    assert [answer.status for answer in answers] == [401] * 20 + [429]
    assert answers[-1].code == "ERR_RATE"
    assert answers[-1].headers["Retry-After"] == "900"
    assert program.get(f"/reservations/{stay.code}").status == 200


def test_a_guest_has_a_limit(as_guest: Callable[[Reservation], Program], make_reservation: Make, clock: Clock) -> None:
    stay = make_reservation()
    guest = as_guest(stay)
    answers = [guest.get(f"/reservations/{stay.code}").status for _ in range(61)]
    assert answers == [200] * 60 + [429]
    clock.advance(minutes=1)
    assert guest.get(f"/reservations/{stay.code}").status == 200


def test_a_program_has_a_limit(program: Program, deps: Deps, make_reservation: Make, clock: Clock) -> None:
    stay = make_reservation()
    for _ in range(299):
        throttle.hit(deps, throttle.CALLS_OF_TOKEN, "api token 1")
    assert [program.get(f"/reservations/{stay.code}").status for _ in range(2)] == [200, 429]
    other = Program(program.url, make_token(deps))
    assert other.get(f"/reservations/{stay.code}").status == 200
    clock.advance(minutes=1)
    assert program.get(f"/reservations/{stay.code}").status == 200


def test_the_token_of_a_link_ends_with_the_link(
    as_guest: Callable[[Reservation], Program], make_reservation: Make, clock: Clock
) -> None:
    stay = make_reservation()
    guest = as_guest(stay)
    clock.advance(days=(stay.check_out - clock.now().date()).days + 29)
    assert guest.get(f"/reservations/{stay.code}").status == 200
    clock.advance(days=3)
    assert guest.get(f"/reservations/{stay.code}").code == "ERR_AUTH"


def test_a_browser_that_is_let_in_elsewhere_is_nobody_here(
    portal: LivePortal, deps: Deps, make_reservation: Make
) -> None:
    stay = make_reservation()
    browser = requests.Session()
    browser.get(f"{portal.url}/l/{link_token(deps, stay)}", timeout=10)
    assert browser.cookies, "the pages know this guest"
    read = browser.get(f"{portal.url}/api/reservations/{stay.code}", timeout=10)
    cancel = browser.post(f"{portal.url}/api/reservations/{stay.code}/cancel", json={}, timeout=10)
    for answer in (read, cancel):
        assert (answer.status_code, answer.json()["error_code"]) == (401, "ERR_AUTH")
        assert "Set-Cookie" not in answer.headers
        assert "Cookie" not in answer.headers.get("Vary", "")
    assert Reservation.get_by_id(stay.id).status == "pending"


def test_the_last_use_of_a_token_is_known(program: Program, clock: Clock) -> None:
    assert rows(ApiToken)[0].last_used_at is None
    program.get("/reservations/x")
    assert rows(ApiToken)[0].last_used_at == clock.now()


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "ERR_404"),
        ("GET", "", 404, "ERR_404"),
        ("DELETE", "/reservations/x", 405, "ERR_405"),
        ("GET", "/reservations", 405, "ERR_405"),
    ],
)
def test_addresses_that_are_none_answer_as_json(
    program: Program, method: str, path: str, status: int, code: str
) -> None:
    answer = program._send(method, path, None, {})
    assert (answer.status, answer.code) == (status, code)
    assert "browser" not in str(answer.body)


def test_pages_stay_pages(portal: LivePortal) -> None:
    for path in ("/apix", "/nothing"):
        assert requests.get(portal.url + path, timeout=10).headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "ERR_400"),
        (b"[]", "application/json", 400, "ERR_400"),
        (b'{"tier_percent": 1, "tier_percent": 2}', "application/json", 400, "ERR_400"),
        (b'{"tier_percent": NaN}', "application/json", 400, "ERR_400"),
        (b'{"tier_percent": ' + b"9" * 5000 + b"}", "application/json", 400, "ERR_400"),
        (b"[" * 60_000, "application/json", 400, "ERR_400"),
        (b'{"a": "\xff"}', "application/json", 400, "ERR_400"),
        (b"tier_percent=1", "application/x-www-form-urlencoded", 415, "ERR_415"),
        (b" " * 70_000, "application/json", 413, "ERR_413"),
    ],
)
def test_a_body_that_cannot_be_read_changes_nothing(
    program: Program, make_reservation: Make, body: bytes, content_type: str, status: int, code: str
) -> None:
    stay = make_reservation()
    answer = requests.post(
        f"{program.url}/api/reservations/{stay.code}/cancel",
        data=body,
        headers={"Authorization": f"Bearer {program.token}", "Content-Type": content_type},
        timeout=10,
    )
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)
    assert Reservation.get_by_id(stay.id).status == "pending"


def test_a_correlation_id_comes_back_unless_it_could_break_a_log(program: Program) -> None:
    assert program.get("/x", X_Correlation_Id="order-17.a_B").headers["X-Request-Id"] == "order-17.a_B"
    for bad in ("x" * 65, "a b", 'a"}', "é".encode().decode("latin-1")):
        assert program.get("/x", X_Correlation_Id=bad).headers["X-Request-Id"] != bad
