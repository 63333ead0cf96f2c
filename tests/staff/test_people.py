"""Managers and the people who sign in."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from portal import db
from portal.deps import Deps
from portal.models import AuditLog, Staff
from portal.services import second_factor, staff_accounts
from portal.services.staff_accounts import LastManager
from tests.actors import Clock
from tests.staff.desk import PASSWORD, Desk, hire

PEOPLE = "/staff/settings/people"


def test_a_manager_adds_somebody(manager: Desk, stranger: Desk) -> None:
    manager.goes_to(PEOPLE)
    bad = manager.submits("/people", email="no address", name="x" * 101, role="owner")
    assert bad.status == 400
    assert "This is not an e-mail address." in bad.text
    assert Staff.select().count() == 1
    manager.goes_to(PEOPLE)
    page = manager.submits("/people", email="Nuno@limoeiro.example", name="Nuno Dias", role="reception")
    first = page.main.findtext(".//p[@class='secret']") or ""
    assert len(first) == 24
    nuno = Staff.get(Staff.email == "nuno@limoeiro.example")
    assert first not in manager.goes_to(f"{PEOPLE}/{nuno.id}").text
    stranger.goes_to("/staff/sign-in")
    assert stranger.submits("/sign-in", email=nuno.email, password=first).title == "Set up codes on your phone"
    manager.goes_to(PEOPLE)
    again = manager.submits("/people", email="NUNO@limoeiro.example", name="", role="reception")
    assert "Somebody here has this e-mail already." in again.text
    assert "Not set up yet" in again.text


def test_what_a_manager_changes_holds_at_once(manager: Desk, reception: Desk, deps: Deps) -> None:
    rita = hire(deps, "reception")
    second_factor.store(rita, "JBSWY3DPEHPK3PXP")
    reception.goes_to("/staff/")
    page = f"{PEOPLE}/{rita.id}"
    manager.goes_to(page)
    manager.submits(page, do="save", name="Rita Sousa", role="manager")
    assert manager.page.title == "Rita Sousa"
    assert reception.goes_to(PEOPLE).title == "People", "a manager from now on"
    manager.submits(page, do="save", role="reception")
    assert reception.goes_to(PEOPLE).status == 403

    for do in ("reset-password", "reset-second-factor", "disable"):
        desk = Desk(manager.portal_url, deps, "reception")
        Staff.update(must_change_password=False).execute()
        assert desk.goes_to("/staff/").title == "Today"
        manager.submits(page, do=do)
        assert manager.page.status == 200, manager.page.text
        assert desk.goes_to("/staff/").title == "Sign in", do
        manager.goes_to(page)
    rita = Staff.get_by_id(rita.id)
    assert (rita.totp_secret, second_factor.recovery_codes_left(rita)) == (None, 0)
    manager.submits(page, do="enable")
    assert Staff.get_by_id(rita.id).disabled_at is None
    told = AuditLog.select().where((AuditLog.entity == "staff") & (AuditLog.entity_id == str(rita.id)))
    assert [(row.from_state, row.to_state, row.cause) for row in told.order_by(AuditLog.id)] == [
        (None, "reception", "added"),
        ("reception", "manager", "role changed"),
        ("manager", "reception", "role changed"),
        ("reception", "reception", "password reset"),
        ("reception", "reception", "second factor reset"),
        ("reception", "disabled", "disabled"),
        ("disabled", "reception", "enabled"),
    ]
    assert {row.actor for row in told} == {"command line", f"staff {Staff.get(Staff.role == 'manager').id}"}


def test_the_last_manager_stays(manager: Desk, deps: Deps) -> None:
    marta = hire(deps, "manager")
    page = f"{PEOPLE}/{marta.id}"
    for fields in ({"do": "disable"}, {"do": "save", "role": "reception"}):
        manager.goes_to(page)
        assert manager.submits(page, **fields).status == 409
        assert "Nothing was changed" in manager.page.text
    other = staff_accounts.add_staff(deps, "ana@limoeiro.example", role="manager", password=PASSWORD)

    def disable(staff_id: int) -> bool:
        with db.connection():
            try:
                return staff_accounts.disable(deps, staff_id, actor="test")
            except LastManager:
                return False

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(disable, (marta.id, other.id))) == [False, True]
    assert Staff.select().where((Staff.role == "manager") & Staff.disabled_at.is_null()).count() == 1


def test_odd_requests(
    manager: Desk, reception: Desk, clock: Clock, count_statements: Callable[..., int], deps: Deps
) -> None:
    assert manager.goes_to(f"{PEOPLE}/{10**30}").status == 404
    assert manager.goes_to(f"{PEOPLE}/999").status == 404
    assert reception.goes_to(f"{PEOPLE}/1").status == 403
    rita = hire(deps, "reception")
    manager.goes_to(f"{PEOPLE}/{rita.id}")
    assert manager.submits(f"/{rita.id}", do="promote").status == 400
    clock.advance(minutes=11)
    manager.goes_to(f"{PEOPLE}/{rita.id}")
    assert manager.submits(f"/{rita.id}", do="disable").status == 403
    assert manager.submits(f"/{rita.id}", do="disable", password="a guess").status == 403
    assert Staff.get_by_id(rita.id).disabled_at is None
    manager.goes_to(PEOPLE)
    assert manager.submits("/people", email="ana@limoeiro.example", role="manager").status == 403
    few = count_statements(lambda: manager.goes_to(PEOPLE))
    for number in range(8):
        staff_accounts.add_staff(deps, f"s{number}@limoeiro.example", role="reception", password=PASSWORD)
    assert count_statements(lambda: manager.goes_to(PEOPLE)) == few
