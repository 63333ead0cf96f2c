"""The front page, for a person: what happened in this simulator so far."""

from functools import partial

from flask import Blueprint, render_template
from werkzeug.wrappers import Response

from stripe_simulator import hosted, later, money
from stripe_simulator.world import World

_SHOWN = 50


def blueprint(world: World) -> Blueprint:
    """The front page of one world."""
    pages = Blueprint("home", __name__)
    pages.add_url_rule("/", "home", partial(_home, world))
    return pages


def _home(world: World) -> Response:
    later.run_due(world)
    find = world.store.select
    html = render_template(
        "home.html",
        sessions=find("checkout.session", limit=_SHOWN),
        intents=find("payment_intent", limit=_SHOWN),
        refunds=find("refund", limit=_SHOWN),
        disputes=find("dispute", limit=_SHOWN),
        formatted=money.formatted,
    )
    return hosted.page(html, 200)
