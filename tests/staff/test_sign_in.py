"""Signing in: the first time and later, what is refused, and getting back in without a password or a phone."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pyotp
import pytest

from portal import db, jobs
from portal.deps import Deps
from portal.models import AuditLog, OutgoingMail, RecoveryCode, Staff, StaffSession
from portal.services import passwords, second_factor, staff_accounts
from tests.actors import Clock, LivePortal
from tests.mailbox import Mailbox, text_of
from tests.staff.desk import EMAILS, PASSWORD, Desk, hire

NEW = "seven lemons and a boat"
KEY = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
WRONG = "That e-mail and password do not match. Check both."

Enrolled = tuple[Staff, list[str]]


@pytest.fixture
def rita(deps: Deps) -> Enrolled:
    """A receptionist who has set up her app, and her recovery codes."""
    person = hire(deps, "reception")
    codes = second_factor.store(person, KEY)
    assert codes is not None
    return Staff.get_by_id(person.id), codes


@pytest.fixture
def browser(portal: LivePortal, deps: Deps) -> Callable[[], Desk]:
    return lambda: Desk(portal.url, deps, None)


def code_now(deps: Deps, key: str = KEY, *, steps: int = 0) -> str:
    return pyotp.TOTP(key).at(deps.now() + timedelta(seconds=30 * steps))


def types_password(desk: Desk, password: str = PASSWORD, email: str = EMAILS["reception"]) -> Any:
    desk.goes_to("/staff/sign-in")
    return desk.submits("/sign-in", email=email, password=password)


def signs_in(desk: Desk, code: str) -> Any:
    types_password(desk)
    return desk.submits("/code", code=code)


def test_the_first_sign_in(stranger: Desk, deps: Deps, clock: Clock) -> None:
    hire(deps, "manager")
    first = passwords.new_password()
    person = staff_accounts.add_staff(deps, "Nuno@Limoeiro.example ", role="reception", name="Nuno", password=first)
    stranger.goes_to("/staff/attention?closed=1")
    page = stranger.submits("/sign-in", email=" NUNO@limoeiro.example", password=first)
    assert page.title == "Set up codes on your phone"
    assert page.main.find(".//*[@class='qr']") is not None
    key = re.sub(r"\s", "", page.main.findtext(".//span[@class='secret']") or "")
    assert stranger.goes_to("/staff/sign-in/app").text.count(key[:4]), "the key stays the same on a reload"

    page = stranger.submits("/app", code="000000" if code_now(deps, key) != "000000" else "000001")
    assert (page.status, Staff.get_by_id(person.id).totp_secret) == (400, None)
    page = stranger.submits("/app", code=code_now(deps, key))
    assert page.title == "Your recovery codes"
    codes = [code.text for code in page.main.iter("code")]
    assert len(set(codes)) == 10
    stored = {row.code_hash for row in RecoveryCode.select()}
    assert len(stored) == 10
    assert not stored & set(codes)
    go_on = page.link("I have written them down")
    assert go_on == "/staff/attention?closed=1"

    # The first password was read by whoever made it: nothing opens before it is changed.
    assert stranger.goes_to(go_on).title == "Choose your own password"
    assert stranger.submits("/password", new="short", again="short").status == 400
    assert "not the same" in stranger.submits("/password", new=NEW, again=NEW + "x").text
    assert "have now" in stranger.submits("/password", new=first, again=first).text
    assert stranger.submits("/password", new=NEW, again=NEW).title == "Today"
    causes = [row.cause for row in AuditLog.select().where(AuditLog.entity == "staff").order_by(AuditLog.id)]
    assert causes == ["added", "added", "password changed"]
    assert not AuditLog.select().where(AuditLog.cause.contains("nuno") | AuditLog.entity_id.contains("@")).exists()

    stranger.submits("/sign-out")
    clock.advance(seconds=30)
    page = types_password(stranger, NEW, "nuno@limoeiro.example")
    assert page.title == "Enter your code"
    assert stranger.goes_to("/staff/").title == "Sign in", "the password alone opens nothing"
    stranger.goes_to("/staff/sign-in/code")
    assert stranger.submits("/code", code=code_now(deps, key)).title == "Today"


def test_every_miss_reads_the_same(browser: Callable[[], Desk], rita: Enrolled, deps: Deps) -> None:
    gone = staff_accounts.add_staff(deps, "gone@limoeiro.example", role="reception", password=PASSWORD)
    staff_accounts.disable(deps, gone.id, actor="test")
    desk, answers = browser(), set()
    for email, password in (
        (EMAILS["reception"], "another password"),
        ("nobody@limoeiro.example", PASSWORD),
        ("gone@limoeiro.example", PASSWORD),
        ("\x00' OR 1=1 \U0001f34b", "x" * 200),
    ):
        page = types_password(desk, password, email)
        assert page.status == 400
        assert WRONG in page.text
        answers.add(page.text)
    assert len(answers) == 1
    assert types_password(desk, "x" * 50_000).status == 400
    assert StaffSession.select().count() == 0


def test_a_code_works_once_and_soon(browser: Callable[[], Desk], rita: Enrolled, deps: Deps, clock: Clock) -> None:
    one, other = browser(), browser()
    types_password(one)
    types_password(other)
    code = code_now(deps)
    assert one.submits("/code", code=f"{code[:3]} {code[3:]}").title == "Today"
    assert other.submits("/code", code=code).status == 400, "read over somebody's shoulder"
    assert other.submits("/code", code=code_now(deps, steps=-1)).status == 400, "older than the last one"
    assert other.submits("/code", code=code_now(deps, steps=2)).status == 400
    assert other.submits("/code", code=code_now(deps, steps=1)).title == "Today", "a phone that is a little fast"

    third = browser()
    types_password(third)
    clock.advance(minutes=11)
    assert third.submits("/code", code=code_now(deps)).title == "Sign in"
    assert "too much time" in third.page.text
    types_password(third)
    staff_accounts.reset_password(deps, rita[0].id, actor="test")
    assert third.submits("/code", code=code_now(deps)).title == "Sign in", "the password was changed in between"


def test_a_recovery_code_works_once(browser: Callable[[], Desk], rita: Enrolled) -> None:
    desk, code = browser(), rita[1][3]
    types_password(desk)
    desk.goes_to(desk.page.link("recovery code"))
    page = desk.submits("/code?recovery=1", code=f" {code.upper()} ")
    assert page.title == "Today"
    assert "9 recovery codes left" in page.text
    again = browser()
    types_password(again)
    assert again.submits("/code", code=code).status == 400


def test_of_two_at_the_same_moment_one_gets_in(rita: Enrolled, deps: Deps) -> None:
    person, codes = rita

    def try_it(code: str) -> bool:
        with db.connection():
            return second_factor.is_right(deps, person, code, address="127.0.0.1")

    for code in (code_now(deps), codes[0]):
        with ThreadPoolExecutor(3) as pool:
            assert sorted(pool.map(try_it, [code] * 3)) == [False, False, True]


def test_guessing_ends_for_the_right_one_too(
    browser: Callable[[], Desk], rita: Enrolled, deps: Deps, clock: Clock
) -> None:
    clock.advance(seconds=900 - clock.now().timestamp() % 900)  # limits count by the quarter of an hour
    desk, signed_in = browser(), Desk(browser().portal_url, deps, "reception")
    clock.advance(minutes=11)
    for _ in range(10):
        assert types_password(desk, "a guess").status == 400
    page = types_password(desk)
    assert (page.status, page.title) == (429, "Too many tries")
    signed_in.goes_to("/staff/account")
    assert signed_in.submits("/recovery-codes", password=PASSWORD).status == 429
    clock.advance(minutes=15)
    types_password(desk)
    for _ in range(5):
        assert desk.submits("/code", code="12345").status == 400
    assert desk.submits("/code", code=code_now(deps)).status == 429
    clock.advance(minutes=15)
    assert signs_in(desk, code_now(deps)).title == "Today"


def test_a_sign_in_is_new_and_its_own(browser: Callable[[], Desk], rita: Enrolled, deps: Deps, clock: Clock) -> None:
    desk = browser()
    desk.takes_cookie({"token": "chosen by somebody else"})
    desk.goes_to("/staff/sign-in?next=//evil.example/")
    desk.submits("/sign-in", email=EMAILS["reception"], password=PASSWORD)
    between = dict(desk.browser.cookies)
    assert desk.submits("/code", code=code_now(deps)).title == "Today"
    assert desk.page.url.startswith(desk.portal_url)
    assert "chosen by" not in str(between)
    assert dict(desk.browser.cookies) != between
    assert desk.goes_to("/staff/sign-in").title == "Today", "who is in need not sign in"
    replay = browser()
    replay.browser.cookies.update(between)
    assert replay.goes_to("/staff/").title == "Sign in"


def test_an_ended_sign_in_is_over_in_the_other_browser(browser: Callable[[], Desk], rita: Enrolled, deps: Deps) -> None:
    here, there, elsewhere = (Desk(browser().portal_url, deps, "reception") for _ in range(3))
    page = here.goes_to("/staff/account")
    assert "10 codes are left" in page.text
    newest = StaffSession.select().order_by(StaffSession.id.desc()).get().id
    assert here.submits(f"/sign-ins/{newest}").title == "My account"
    assert elsewhere.goes_to("/staff/").title == "Sign in"
    assert there.goes_to("/staff/").title == "Today"
    assert "1 other sign-in was ended" in here.submits("/sign-ins").text
    assert there.goes_to("/staff/").title == "Sign in"
    stranger = Desk(here.portal_url, deps, "manager")
    stranger.goes_to("/staff/account")
    mine = StaffSession.select().where(StaffSession.ended_at.is_null()).order_by(StaffSession.id).first().id
    token = stranger.page.fields(stranger.page.forms("/sign-out")[0])["csrf_token"]
    for number in (mine, 10**30):
        stranger.browser.post(f"{here.portal_url}/staff/account/sign-ins/{number}", data={"csrf_token": token})
    assert here.goes_to("/staff/account").title == "My account", "nobody ends another's"

    assert here.submits("/recovery-codes").title == "Your recovery codes"
    assert RecoveryCode.select().count() == 10
    kept = Desk(here.portal_url, deps, "reception")
    here.goes_to("/staff/password")
    assert "not your password" in here.submits("/password", current="wrong", new=NEW, again=NEW).text
    assert here.submits("/password", current=PASSWORD, new=NEW, again=NEW).title == "My account"
    assert kept.goes_to("/staff/").title == "Sign in"
    assert here.goes_to("/staff/").title == "Today"
    mine = StaffSession.select().where((StaffSession.staff == rita[0].id) & StaffSession.ended_at.is_null()).get().id
    here.goes_to("/staff/account")
    assert here.submits(f"/sign-ins/{mine}").title == "Sign in"


def test_new_recovery_codes_ask_for_the_password_again(reception: Desk, clock: Clock) -> None:
    clock.advance(minutes=11)
    reception.goes_to("/staff/account")
    assert reception.submits("/recovery-codes", password="a guess").status == 403
    assert "not your password" in reception.page.text
    assert RecoveryCode.select().count() == 0
    assert reception.submits("/recovery-codes", password=PASSWORD).title == "Your recovery codes"


def test_a_new_password_by_mail(
    browser: Callable[[], Desk], rita: Enrolled, deps: Deps, mailbox: Mailbox, clock: Clock
) -> None:
    desk, signed_in = browser(), Desk(browser().portal_url, deps, "reception")
    answers = set()
    for email in ("nobody@limoeiro.example", EMAILS["reception"], EMAILS["reception"].upper()):
        desk.goes_to("/staff/forgot")
        answers.add(desk.submits("/forgot", email=email).text)
    assert len(answers) == 1
    jobs.run_once(deps)
    assert len(mailbox.taken) == 2
    links = [re.search(r"http\S+(/staff/reset/\S+)", text_of(mail))[1] for mail in mailbox.taken]  # type: ignore[index]
    waiting = " ".join(str(row) for row in OutgoingMail.select().tuples())
    assert not any(link.rsplit("/", 1)[-1] in waiting for link in links)
    assert mailbox.taken[0]["To"] == EMAILS["reception"]

    assert desk.goes_to(links[0] + "x").status == 404
    assert desk.goes_to(links[0]).title == "Choose a new password"
    assert signed_in.goes_to("/staff/").title == "Today", "looking at it changes nothing"
    late = browser()
    late.goes_to(links[0])
    assert desk.submits(links[0], new="1234", again="1234").status == 400
    assert desk.submits(links[0], new=NEW, again=NEW).title == "Sign in"
    assert signed_in.goes_to("/staff/").title == "Sign in"
    assert late.submits(links[0], new="not this one, please", again="not this one, please").status == 404
    assert desk.goes_to(links[1]).status == 404, "one new password ends all links"
    assert WRONG in types_password(desk).text
    assert types_password(desk, NEW).title == "Enter your code"
    assert desk.submits("/code", code=code_now(deps)).title == "Today"

    clock.advance(hours=2)
    desk.goes_to("/staff/forgot")
    desk.submits("/forgot", email=EMAILS["reception"])
    jobs.run_once(deps)
    link = re.search(r"http\S+(/staff/reset/\S+)", text_of(mailbox.taken[-1]))[1]  # type: ignore[index]
    clock.advance(minutes=61)
    assert desk.goes_to(link).status == 404
    for _ in range(6):
        desk.goes_to("/staff/forgot")
        desk.submits("/forgot", email="nobody@limoeiro.example")
    assert desk.page.status == 429


def test_without_a_mail_server_a_manager_helps(stranger: Desk) -> None:
    stranger.goes_to("/staff/sign-in")
    page = stranger.goes_to(stranger.page.link("I do not know my password"))
    assert "Ask a manager" in page.text
    assert not page.forms("/forgot")


def test_an_old_hash_is_made_anew(browser: Callable[[], Desk], rita: Enrolled, deps: Deps) -> None:
    old = passwords.PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD)
    Staff.update(password_hash=old).execute()
    assert signs_in(browser(), code_now(deps)).title == "Today"
    assert not passwords.is_outdated(Staff.get_by_id(rita[0].id).password_hash)
