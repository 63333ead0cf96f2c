"""The cancellation policy of reservations to come."""

from datetime import timedelta

from flask import abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.domain import money
from portal.domain.cancellation_policy import Policy, time_line
from portal.services import hotels, policy_editor
from portal.services.policy_editor import MOST_LINES, BadPolicy
from portal.web import context
from portal.web.context import get_hotel
from portal.web.staff import access
from portal.web.staff.blueprint import staff
from portal.web.staff.settings import Page, by, printable, say_saved

EXAMPLE_AHEAD = timedelta(days=30)
EXAMPLE_SUM = 1000
"""In whole units of the currency."""


@staff.get("/settings/policy")
@access.needs(access.MANAGER)
def settings_policy() -> str:
    policy = Policy.from_pairs(get_hotel().policy)
    return _page(policy_editor.lines_of(policy), policy)


@staff.post("/settings/policy")
@access.needs(access.MANAGER)
def settings_set_policy() -> Response | str | Page:
    """The button Preview shows what the lines mean and stores nothing."""
    if "days-0" not in request.form:
        abort(400)
    lines = [(_typed(f"days-{line}"), _typed(f"percent-{line}")) for line in range(MOST_LINES)]
    try:
        policy = policy_editor.read(lines)
    except BadPolicy as bad:
        return _page(lines, None, bad.problems), 400
    if request.form.get("do") == "preview":
        return _page(lines, policy, is_preview=True)
    say_saved(hotels.set_policy(by(), policy))
    return redirect(url_for("staff.settings_policy"), 303)


def _typed(name: str) -> str:
    return printable(request.form.get(name, "").strip()[:10])


def _page(
    lines: list[tuple[str, str]],
    policy: Policy | None,
    problems: dict[int, str] | None = None,
    *,
    is_preview: bool = False,
) -> str:
    hotel, today = get_hotel(), context.today()
    check_in, paid = today + EXAMPLE_AHEAD, EXAMPLE_SUM * 10 ** money.exponent(hotel.currency)
    example = {
        "hotel": hotel,
        "reservation": {"currency": hotel.currency, "check_in": check_in},
        "paid": paid,
        "time_line": time_line(policy, check_in, today, paid) if policy is not None else [],
    }
    return render_template(
        "staff/settings/policy.html", lines=lines, problems=problems or {}, example=example, is_preview=is_preview
    )
