"""Doing things at the same moment: real threads that start together behind a barrier."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import requests

from portal import db
from tests.actors import Guest

WITHIN = 60.0


def at_once(acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """Each act in a thread of its own, with its own connection, all at once; what each gave or raised, in order."""
    barrier, outcomes = threading.Barrier(len(acts)), [None] * len(acts)

    def run(number: int, act: Callable[[], Any]) -> None:
        try:
            with db.connection():
                barrier.wait(WITHIN)
                outcomes[number] = act()
        except Exception as error:
            outcomes[number] = error
        finally:
            if not db.db.is_closed():
                db.db.close()

    threads = [threading.Thread(target=run, args=(number, act), daemon=True) for number, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WITHIN)
        assert not thread.is_alive(), "somebody waits for ever"
    return outcomes


def all_well(outcomes: Sequence[Any]) -> list[Any]:
    """The outcomes, when nobody met an error."""
    errors = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert not errors, errors
    return list(outcomes)


def tabs(guest: Guest, number: int) -> list[Callable[[], requests.Response]]:
    """The same browser's tabs, each with the guest's present page open, ready to press Pay."""
    (form, *_) = guest.page.forms("/pay")
    address, fields = guest._url(form.get("action", "")), guest.page.fields(form)

    def press() -> requests.Response:
        with requests.Session() as tab:
            tab.trust_env = False
            return tab.post(address, data=fields, cookies=guest.browser.cookies, allow_redirects=False, timeout=WITHIN)

    return [press] * number
