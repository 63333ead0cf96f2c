"""The hosted checkout page, for a person: server-rendered, without scripts."""

from __future__ import annotations

import re
import time
from functools import partial
from urllib.parse import quote, urlsplit

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from stripe_simulator import cards, checkout, later, money, shapes
from stripe_simulator.cards import PaidWith
from stripe_simulator.checkout import Attempt
from stripe_simulator.store import Doc
from stripe_simulator.world import World

_FIELDS = ("email", "card_number", "expiry", "cvc", "name")


def blueprint(world: World) -> Blueprint:
    """The pages that a payer sees."""
    pages = Blueprint("hosted", __name__)
    pages.add_url_rule("/c/pay/<session_id>", "pay", partial(_pay, world), methods=["GET", "POST"])
    pages.add_url_rule("/c/3ds/<session_id>", "challenge", partial(_challenge, world), methods=["GET", "POST"])
    return pages


def _pay(world: World, session_id: str) -> AnyResponse:
    later.run_due(world)
    session = world.store.find("checkout.session", session_id)
    if session is None:
        return page(render_template("missing.html"), 404)
    if request.method == "POST" and session["status"] == "complete":
        return _away(session)  # a second click on Pay: the first one paid
    if session["status"] != "open":
        return _closed(session)
    if request.method == "GET":
        return _form(session, {"email": session["customer_email"]})
    typed = {name: request.form.get(name, "").strip() for name in _FIELDS}
    problems = _problems(typed, world.clock.now())
    if problems:
        return _form(session, typed, alert="Check the details below.", problems=problems, status=422)
    card = cards.find(typed["card_number"])
    paid_with = _paid_with(typed, card.brand if card else "unknown")
    return _answer(checkout.pay(world, session_id, card, paid_with, typed["email"]), typed)


def _challenge(world: World, session_id: str) -> AnyResponse:
    later.run_due(world)
    session = world.store.find("checkout.session", session_id)
    if session is None:
        return page(render_template("missing.html"), 404)
    if session["status"] != "open":
        return _closed(session)
    if request.method == "POST":
        passed = request.form.get("outcome") == "pass"
        return _answer(checkout.authenticate(world, session_id, passed=passed), {"email": session["customer_email"]})
    intent = world.store.find("payment_intent", session["payment_intent"] or "")
    if not intent or intent["status"] != "requires_action":
        return _to_form(session)
    return page(render_template("challenge.html", session=session, amount=_amount(session)), 200, session)


def _answer(attempt: Attempt, typed: Doc) -> AnyResponse:
    session = attempt.session
    match attempt.status:
        case "paid":
            return _away(session)
        case "authentication_required":
            return secured(redirect(f"/c/3ds/{session['id']}", 303), session)
        case "not_open":
            return _to_form(session) if session["status"] == "open" else _closed(session)
    words = attempt.declined.message if attempt.declined else "Your card was declined."
    return _form(session, typed, alert=words)


def _to_form(session: Doc) -> AnyResponse:
    return secured(redirect(f"/c/pay/{session['id']}", 303), session)


def _away(session: Doc) -> AnyResponse:
    return secured(redirect(_success_url(session), 303), session)


def _success_url(session: Doc) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", quote(session["id"]))


def _closed(session: Doc) -> AnyResponse:
    complete = session["status"] == "complete"
    back = _success_url(session) if complete else session["cancel_url"]
    return page(render_template("closed.html", session=session, back=back), 200 if complete else 410, session)


def _form(
    session: Doc, typed: Doc, *, alert: str | None = None, problems: dict[str, str] | None = None, status: int = 200
) -> AnyResponse:
    # Neither the card number nor the security code goes back into the page.
    again = {name: typed.get(name) or "" for name in ("email", "expiry", "name")}
    html = render_template(
        "pay.html",
        session=session,
        items=_items(session),
        amount=_amount(session),
        typed=again,
        alert=alert,
        problems=problems or {},
        cards=cards.CARDS,
    )
    return page(html, status, session)


def _items(session: Doc) -> list[Doc]:
    return [
        {
            "name": item["description"],
            "details": product.get("description"),
            "quantity": item["quantity"],
            "amount": money.formatted(item["amount_total"], item["currency"]),
        }
        for item, product in zip(session["_line_items"], session["_products"], strict=True)
    ]


def _problems(typed: dict[str, str], now: int) -> dict[str, str]:
    found = {}
    if not shapes.looks_like_email(typed["email"]):
        found["email"] = "Enter an e-mail address, like name@example.com."
    if not re.fullmatch(r"[\d\s-]{12,23}", typed["card_number"]):
        found["card_number"] = "Enter a card number."
    expiry = _expiry(typed["expiry"])
    if expiry is None:
        found["expiry"] = "Enter the expiry date as MM / YY."
    elif _is_past(*expiry, now):
        found["expiry"] = "Your card's expiration date is in the past."
    if not re.fullmatch(r"\d{3,4}", typed["cvc"]):
        found["cvc"] = "Enter the 3 or 4 digits of the security code."
    return found


def _is_past(month: int, year: int, now: int) -> bool:
    today = time.gmtime(now)
    return (year, month) < (today.tm_year, today.tm_mon)


def _expiry(typed: str) -> tuple[int, int] | None:
    match = re.fullmatch(r"(\d{1,2})\s*/?\s*(?:20)?(\d{2})", typed)
    if not match or not 1 <= int(match.group(1)) <= 12:
        return None
    return int(match.group(1)), 2000 + int(match.group(2))


def _paid_with(typed: dict[str, str], brand: str) -> PaidWith:
    month, year = _expiry(typed["expiry"]) or (0, 0)
    digits = re.sub(r"\D", "", typed["card_number"])
    return PaidWith(brand, digits[-4:], month, year, typed["name"] or None)


def _amount(session: Doc) -> str:
    return money.formatted(session["amount_total"], session["currency"])


def page(html: str, status: int, session: Doc | None = None) -> AnyResponse:
    """A page with the headers that every page here has."""
    return secured(Response(html, status, content_type="text/html; charset=utf-8"), session)


def secured(response: AnyResponse, session: Doc | None = None) -> AnyResponse:
    """Strict headers; form-action names the shop, because browsers check it against the redirect after a POST too."""
    origins = {"'self'"}
    for address in (session["success_url"], session["cancel_url"]) if session else ():
        if address:
            parts = urlsplit(address)
            origins.add(f"{parts.scheme}://{parts.netloc}")
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none';"
        f" form-action {' '.join(sorted(origins))}"
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
