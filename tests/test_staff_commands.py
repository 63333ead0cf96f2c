"""Commands about people and tokens, as somebody types them."""

import hashlib
import json
from collections.abc import Callable

import pytest

from portal.deps import Deps
from portal.models import ApiToken, AuditLog, Staff, StaffSession
from portal.services import api_tokens, passwords, second_factor, staff_sessions
from portal.services.api_tokens import BadToken
from tests.staff.desk import cheap_passwords

Run = Callable[..., tuple[int, str, str]]
MARTA = "marta@limoeiro.example"


@pytest.fixture
def run(command: Run) -> Run:
    cheap_passwords()
    return command


def test_people_come_and_go(run: Run, deps: Deps) -> None:
    assert run("staff", "list")[1].startswith("Nobody")
    status, out, _ = run("staff", "add", "Marta@limoeiro.example", "--role", "manager", "--name", "Marta")
    first = out.split("first password: ")[1].split()[0]
    marta = Staff.get(Staff.email == MARTA)
    assert (status, marta.role, marta.must_change_password) == (0, "manager", True)
    assert passwords.is_right(marta.password_hash, first)
    assert run("staff", "add", MARTA)[0] == 1
    assert run("staff", "add", "nonsense")[0] == 1
    assert "last" not in run("staff", "disable", MARTA)[2]
    assert run("staff", "disable", MARTA) == (
        1,
        "",
        "Nobody else who can sign in is a manager. Add another one first. Nothing was done.\n",
    )
    run("staff", "add", "rita@limoeiro.example")
    rita = Staff.get(Staff.email == "rita@limoeiro.example")
    second_factor.store(rita, "JBSWY3DPEHPK3PXP")
    staff_sessions.start(deps, rita)
    assert run("staff", "reset-totp", rita.email)[0] == 0
    assert Staff.get_by_id(rita.id).totp_secret is None
    assert StaffSession.select().where(StaffSession.ended_at.is_null()).count() == 0
    second = run("staff", "reset-password", rita.email)[1].split("first password: ")[1].split()[0]
    assert passwords.is_right(Staff.get_by_id(rita.id).password_hash, second)
    assert "cannot sign in any more" in run("staff", "disable", rita.email)[1]
    listed = json.loads(run("staff", "list", "--json")[1])
    assert [(p["email"], p["role"], p["can_sign_in"], p["second_factor"]) for p in listed] == [
        (MARTA, "manager", True, False),
        (rita.email, "reception", False, False),
    ]
    assert "rita@limoeiro.example, reception, cannot sign in" in run("staff", "list")[1]
    assert "may sign in again" in run("staff", "enable", rita.email)[1]
    for command in ("disable", "enable", "reset-password", "reset-totp"):
        assert run("staff", command, "nobody@limoeiro.example")[0] == 1
    assert {row.actor for row in AuditLog.select().where(AuditLog.entity == "staff")} == {"command line"}


def test_a_token_is_printed_once_and_alone(run: Run, deps: Deps) -> None:
    status, out, _ = run("token", "add", "Booking engine")
    token = out.removesuffix("\n")
    stored = ApiToken.get()
    assert (status, stored.token_hash) == (0, hashlib.sha256(token.encode()).hexdigest())
    assert stored.scopes == ["reservations", "payments"]
    assert run("token", "add", "Booking engine")[0] == 1
    assert run("token", "add", "Till", "--scope", "everything")[0] == 1
    assert run("token", "add", "Till", "--scope", "payments")[0] == 0
    assert [row.name for row in api_tokens.list_tokens()] == ["Till", "Booking engine"]
    assert api_tokens.revoke_token(deps, stored.id)
    assert not api_tokens.revoke_token(deps, stored.id)
    assert ApiToken.get_by_id(stored.id).revoked_at is not None
    with pytest.raises(BadToken):
        api_tokens.add_token(deps, "  ", ["payments"])
