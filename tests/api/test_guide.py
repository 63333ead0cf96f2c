"""docs/api.md: every example is run as it stands there, and gets the answer that stands below it."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from portal.deps import Deps
from portal.services import reservations
from stripe_simulator import Control
from tests.api.program import Program

GUIDE = Path(__file__).parents[2] / "docs/api.md"
DAY_OF_THE_GUIDE = date(2027, 3, 18)
CHANGES = ("hold_until", "link", "expires_at", "created_at", "completed_at", "refunded_at", "checkout_url")
"""Whatever is written there, it is another each time; so are ids."""


def steps(today: date) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Each command, its answer, and whether the guest pays before it. Dates lie as far ahead as they do in the guide."""
    text = GUIDE.read_text(encoding="utf-8")
    moved = today + timedelta(days=40) - DAY_OF_THE_GUIDE
    text = re.sub(r"2027-\d\d-\d\d", lambda found: (date.fromisoformat(found[0]) + moved).isoformat(), text)
    for command, between, answer in re.findall(r"```sh\n(curl.*?)```(.*?)```json\n(.*?)```", text, re.S):
        yield command, json.loads(answer), "the guest pays" in between


def is_told(told: Any, got: Any, name: str = "") -> bool:
    """Whether what the guide tells is in the answer; ids and times have to be there, and to be of that kind."""
    if isinstance(told, dict):
        return all(key in got and is_told(value, got[key], key) for key, value in told.items())
    if isinstance(told, list):
        return len(told) == len(got) and all(map(is_told, told, got))
    if told is not None and (name.endswith("_id") or name in CHANGES):
        return isinstance(got, str) and bool(got)
    return bool(told == got)


def test_every_example_does_what_the_guide_says(program: Program, deps: Deps, stripe: Control) -> None:
    environment = {**os.environ, "PORTAL": program.url, "TOKEN": program.token, "no_proxy": "*"}
    ran = 0
    for command, told, pays in steps(reservations.today_at_hotel(deps)):
        if pays:
            stripe.pay(environment["SESSION"])
            stripe.deliver()
        done = subprocess.run(
            ["bash", "-ec", command], env=environment, capture_output=True, text=True, timeout=30, check=False
        )
        assert done.returncode == 0, done.stderr
        got = json.loads(done.stdout)
        assert is_told(told, got), f"{command}\n{json.dumps(got, indent=1)}"
        for variable, name in (
            ("RESERVATION", "reservation_id"),
            ("PAYMENT", "payment_id"),
            ("SESSION", "checkout_session_id"),
        ):
            environment[variable] = got.get(name) or environment.get(variable, "")
        ran += 1
    assert ran == GUIDE.read_text(encoding="utf-8").count("\ncurl ") == 9
