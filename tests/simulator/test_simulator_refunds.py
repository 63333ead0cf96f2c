"""Refunds and disputes through Stripe's SDK and the control surface."""

import pytest
import stripe

from stripe_simulator.control import ControlError
from tests.simulator import openapi, shop


def refund(api, intent, **params):
    return api.v1.refunds.create(params={"payment_intent": intent.id, **params})


def refusal(api, **params):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.v1.refunds.create(params=params)
    assert caught.value.http_status == 400
    return caught.value


def kinds(control):
    return [event["type"] for event in control.events()]


def test_parts_add_up_to_a_full_refund(api, control, paid):
    intent = paid(amount=3_000)
    part = refund(api, intent, amount=1_000, reason="requested_by_customer", metadata={"refund": "REF-1"})
    assert (part.status, part.amount, part.metadata.to_dict()) == ("succeeded", 1_000, {"refund": "REF-1"})
    charge = api.v1.charges.retrieve(intent.latest_charge)
    assert (charge.amount_refunded, charge.refunded) == (1_000, False)
    rest = refund(api, intent)
    assert rest.amount == 2_000
    charge = api.v1.charges.retrieve(intent.latest_charge, params={"expand": ["refunds"]})
    assert (charge.amount_refunded, charge.refunded) == (3_000, True)
    assert [one.id for one in charge.refunds.data] == [rest.id, part.id]
    openapi.check_object("charge", charge)
    assert kinds(control)[-4:] == ["refund.created", "charge.refunded", "refund.created", "charge.refunded"]


def test_more_than_was_paid_is_refused(api, paid):
    intent = paid(amount=4_000)
    refund(api, intent, amount=1_000)
    error = refusal(api, payment_intent=intent.id, amount=4_000)
    assert error.user_message == ("Refund amount (€40.00) is greater than unrefunded amount on charge (€30.00)")
    assert (error.code, error.param) == (None, "amount")


def test_a_whole_refund_happens_once(api, paid):
    intent = paid()
    refund(api, intent)
    error = refusal(api, charge=intent.latest_charge)
    assert error.code == "charge_already_refunded"
    assert error.user_message == f"Charge {intent.latest_charge} has already been refunded."


@pytest.mark.parametrize("amount", [0, -5, "ten"])
def test_an_amount_is_a_positive_number(api, paid, amount):
    error = refusal(api, payment_intent=paid().id, amount=amount)
    assert (error.code, error.param) == ("parameter_invalid_integer", "amount")


def test_unpaid_and_unknown_payments_cannot_be_refunded(api, control, session):
    intent_id = control.pay(session.id, shop.DECLINED)["session"]["payment_intent"]
    assert "does not have a successful charge" in refusal(api, payment_intent=intent_id).user_message
    charge = control.truth()["charges"][0]
    assert refusal(api, charge=charge["id"]).param == "charge"
    assert refusal(api).code == "parameter_missing"
    assert refusal(api, charge="ch_1", colour="red").code == "parameter_unknown"
    for name in ("payment_intent", "charge"):
        with pytest.raises(stripe.InvalidRequestError, match="No such") as caught:
            api.v1.refunds.create(params={name: "x_1"})
        assert caught.value.code == "resource_missing"


def test_a_pending_refund_succeeds_soon(api, control, paid, receiver):
    control.freeze()
    made = refund(api, paid(shop.REFUND_PENDING))
    assert (made.status, made.pending_reason) == ("pending", "processing")
    control.advance(5)
    assert api.v1.refunds.retrieve(made.id).status == "succeeded"
    assert receiver.wait_for("refund.updated")[0].event.data.object.status == "succeeded"


def test_a_refund_that_succeeded_fails_later(api, control, paid, receiver):
    control.freeze()
    intent = paid(shop.REFUND_FAILS)
    made = refund(api, intent)
    assert made.status == "succeeded"
    control.advance(5)
    seen = api.v1.refunds.retrieve(made.id, params={"expand": ["charge", "payment_intent"]})
    assert (seen.status, seen.failure_reason, seen.charge.amount_refunded) == ("failed", "unknown", 0)
    assert seen.failure_balance_transaction
    openapi.check_object("refund", seen)
    receiver.wait_for("refund.failed")
    assert refund(api, intent).status == "succeeded"


def test_the_bank_moves_a_refund(api, control, paid):
    made = refund(api, paid())
    for status in ("requires_action", "pending", "failed"):
        assert control.move_refund(made.id, status, failure_reason="lost_or_stolen_card")["status"] == status
    assert api.v1.refunds.retrieve(made.id).failure_reason == "lost_or_stolen_card"
    with pytest.raises(ControlError, match="cannot be 'gone'"):
        control.move_refund(made.id, "gone")


def test_only_a_refund_that_waits_for_its_recipient_can_be_cancelled(api, control, paid):
    intent = paid()
    made = refund(api, intent)
    with pytest.raises(stripe.InvalidRequestError):
        api.v1.refunds.cancel(made.id)
    control.move_refund(made.id, "requires_action")
    assert api.v1.refunds.cancel(made.id).status == "canceled"
    assert api.v1.charges.retrieve(intent.latest_charge).amount_refunded == 0


def test_a_refund_in_the_dashboard_is_seen_by_everyone(api, control, paid, receiver):
    intent = paid()
    made = control.refund(intent.id, 500, metadata={"by": "staff"})
    assert [one.id for one in api.v1.refunds.list(params={"payment_intent": intent.id}).data] == [made["id"]]
    assert [one.id for one in api.v1.refunds.list(params={"charge": intent.latest_charge}).data] == [made["id"]]
    event = receiver.wait_for("refund.created")[0].event
    assert (event.request.id, event.request.idempotency_key) == (None, None)
    with pytest.raises(ControlError) as caught:
        control.refund(intent.id, 112_500)
    assert caught.value.status == 400


def test_a_refund_by_the_api_names_its_request(api, paid, receiver):
    made = api.v1.refunds.create(params={"payment_intent": paid().id}, options={"idempotency_key": "ref-1"})
    event = receiver.wait_for("refund.created")[0].event
    assert event.request.idempotency_key == "ref-1"
    assert event.request.id == made.last_response.request_id


def test_a_disputed_card_is_charged_back(api, control, paid, receiver):
    control.freeze()
    intent = paid(shop.DISPUTED)
    control.advance(5)
    (dispute,) = api.v1.disputes.list(params={"payment_intent": intent.id}).data
    assert (dispute.status, dispute.reason, dispute.charge) == ("needs_response", "fraudulent", intent.latest_charge)
    assert api.v1.charges.retrieve(intent.latest_charge).disputed
    receiver.wait_for("charge.dispute.created")
    error = refusal(api, payment_intent=intent.id)
    assert error.code == "charge_disputed"
    assert error.user_message == f"Charge {intent.latest_charge} has been charged back; cannot issue a refund."


def test_a_dispute_is_argued_and_won(api, control, paid):
    intent = paid()
    dispute = control.dispute(intent.id, reason="product_not_received")
    control.move_dispute(dispute["id"], "under_review")
    control.move_dispute(dispute["id"], "won")
    seen = api.v1.disputes.retrieve(dispute["id"], params={"expand": ["charge"]})
    assert (seen.status, seen.is_charge_refundable) == ("won", True)
    assert [kind for kind in kinds(control) if "dispute" in kind] == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
        "charge.dispute.closed",
        "charge.dispute.funds_reinstated",
    ]
    assert refund(api, intent).status == "succeeded"
    with pytest.raises(ControlError, match="cannot be 'gone'"):
        control.move_dispute(dispute["id"], "gone")


def test_a_refunded_payment_cannot_be_disputed(api, control, paid):
    intent = paid()
    refund(api, intent)
    with pytest.raises(ControlError, match="fully refunded"):
        control.dispute(intent.id)


def test_events_can_be_read_back(api, control, paid, receiver):
    intent = paid()
    refund(api, intent)
    receiver.wait_for("charge.refunded")
    listed = api.v1.events.list(params={"types": ["refund.created", "charge.refunded"], "limit": 10})
    assert [one.type for one in listed.data] == ["charge.refunded", "refund.created"]
    one = api.v1.events.retrieve(listed.data[0].id)
    assert (one.api_version, one.livemode) == (stripe.api_version, False)
    assert [event.type for event in api.v1.events.list(params={"type": "refund.created"}).data] == ["refund.created"]
    control.webhooks("hold")
    refusal(api, payment_intent=intent.id)
    control.charge_elsewhere(700)
    undelivered = api.v1.events.list(params={"delivery_success": False})
    assert {event.type for event in undelivered.data} == {
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
    }
