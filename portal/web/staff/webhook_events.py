"""What Stripe told us: whether messages arrive, each message and what it did, and doing it again."""

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.domain.guest_match import normalise_code
from portal.models import Payment, Reservation, WebhookEvent
from portal.services import health
from portal.services import webhook_events as events
from portal.services.listing import read_page
from portal.web.context import get_deps
from portal.web.staff import access
from portal.web.staff.blueprint import staff

RESULTS = ("success", "skipped", "pending", "error")


@staff.get("/webhook-events")
@access.needs(access.RECEPTION)
def webhook_events() -> str:
    chosen = {name: request.args.get(name, "").replace("\x00", "").strip() for name in ("type", "result", "code")}
    listing = read_page(
        _chosen(chosen),
        WebhookEvent.received_at,
        WebhookEvent.event_id,
        after=request.args.get("after"),
        newest_first=True,
    )
    deps = get_deps()
    return render_template(
        "staff/webhook_events.html",
        listing=listing,
        chosen=chosen,
        types=sorted(events.HANDLERS),
        results=RESULTS,
        signs=health.read_signs(deps),
        waiting=events.count_waiting(),
        oldest_waiting=events.oldest_waiting(),
        conditions=[c for c in health.conditions(deps) if c.name.startswith("webhook")],
    )


@staff.get("/webhook-events/<event_id>")
@access.needs(access.RECEPTION)
def webhook_event(event_id: str) -> str:
    return render_template("staff/webhook_event.html", event=_find(event_id))


@staff.post("/webhook-events/<event_id>")
@access.needs(access.RECEPTION)
def process_webhook_event(event_id: str) -> Response:
    result = events.process_again(get_deps(), _find(event_id).event_id)
    if result in ("done", "done before"):
        flash(_("It has had its effect.") if result == "done" else _("It was done already."), "good")
    else:
        flash(_("It could not be used yet. It is tried again by itself."), "bad")
    return redirect(url_for("staff.webhook_event", event_id=event_id), 303)


def _chosen(chosen: dict[str, str]) -> Any:
    query = _with_stays()
    if chosen["type"]:
        query = query.where(WebhookEvent.type == chosen["type"])
    if chosen["result"] in RESULTS:
        query = query.where(WebhookEvent.result == chosen["result"])
    if chosen["code"]:
        query = query.where(Reservation.code == (normalise_code(chosen["code"]) or ""))
    return query


def _with_stays() -> Any:
    return (
        WebhookEvent.select(WebhookEvent, Reservation, Payment)
        .left_outer_join(Reservation)
        .switch(WebhookEvent)
        .left_outer_join(Payment, on=(WebhookEvent.payment == Payment.id))
    )


def _find(event_id: str) -> WebhookEvent:
    if "\x00" in event_id or len(event_id) > 255:
        abort(404)
    found: WebhookEvent | None = _with_stays().where(WebhookEvent.event_id == event_id).first()
    if found is None:
        abort(404)
    return found
