"""Webhooks: signed, at least once, retried, and in the hands of a test."""

import time

import pytest
import stripe

from tests.simulator.receiver import SECRET, eventually


def test_a_delivery_is_signed_as_stripe_signs(control, session, receiver):
    control.pay(session.id)
    delivered = receiver.wait_for("checkout.session.completed")[0]
    event = stripe.Webhook.construct_event(delivered.payload, delivered.signature, SECRET)
    assert (event.data.object.id, event.pending_webhooks) == (session.id, 1)
    for payload, secret in ((delivered.payload + b" ", SECRET), (delivered.payload, "whsec_other")):
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(payload, delivered.signature, secret)
    eventually(lambda: all(one["state"] == "delivered" for one in control.deliveries()), "all delivered")
    assert {event["pending_webhooks"] for event in control.events()} == {0}


def test_two_secrets_sign_one_delivery(control, receiver):
    control.webhooks(secrets=[SECRET, "whsec_second"])
    control.charge_elsewhere(500)
    delivered = receiver.wait_for("charge.succeeded")[0]
    assert delivered.signature.count("v1=") == 2
    for secret in (SECRET, "whsec_second"):
        assert stripe.Webhook.construct_event(delivered.payload, delivered.signature, secret)
    receiver.secret = "whsec_second"
    control.charge_elsewhere(500)
    receiver.wait_for("charge.succeeded", 2)
    assert receiver.problems == []


@pytest.mark.parametrize("status", [500, 302, 400])
def test_a_refused_delivery_comes_again_with_a_new_signature(control, receiver, status):
    control.webhooks(only=["charge.succeeded"])
    receiver.statuses = [status, status]
    control.charge_elsewhere(500)
    tries = receiver.wait_for("charge.succeeded", 3)
    assert len({one.event.id for one in tries}) == 1
    eventually(lambda: control.deliveries()[1]["state"] == "delivered", "delivered at last")
    assert control.deliveries()[1]["tries"] == 3


def test_each_try_is_signed_at_its_own_time(control, receiver):
    control.webhooks(only=["charge.succeeded"])
    control.freeze()
    receiver.statuses = [500]
    control.charge_elsewhere(500)
    receiver.wait_for("charge.succeeded")
    control.advance(60)
    first, second = receiver.wait_for("charge.succeeded", 2)
    stamps = [int(one.signature.split(",")[0].removeprefix("t=")) for one in (first, second)]
    assert first.signature != second.signature
    assert stamps[1] - stamps[0] in (0, 60)  # 0 when the try was quicker than the clock


def test_an_endpoint_that_is_away_gets_its_events_when_it_is_back(simulator, control, receiver):
    simulator.webhook_url = "http://127.0.0.1:9/nobody"
    control.charge_elsewhere(500)
    eventually(lambda: any(one["tries"] for one in control.deliveries()), "a failed try")
    simulator.webhook_url = receiver.url
    receiver.wait_for("charge.succeeded")


def test_held_events_wait_for_the_test(control, receiver):
    control.webhooks("hold")
    control.charge_elsewhere(500)
    kinds = ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]
    assert control.deliver(reverse=True) == [200, 200, 200]
    assert receiver.types() == kinds[::-1]
    assert control.deliver() == []
    assert control.deliver(again=True, copies=2) == [200] * 6
    control.charge_elsewhere(600)
    control.webhooks("on")
    receiver.wait_for("payment_intent.succeeded", 4)


def test_one_event_can_be_delivered_again_and_with_an_old_signature(control, receiver):
    control.webhooks("hold")
    control.charge_elsewhere(500)
    (event,) = control.events("charge.succeeded")
    assert control.deliver(event["id"], timestamp_offset=-400) == [200]
    old = receiver.deliveries[0]
    assert control.deliver(types=["charge.succeeded"], again=True, copies=3, at_once=True) == [200, 200, 200]
    with pytest.raises(stripe.SignatureVerificationError, match="tolerance"):
        stripe.Webhook.construct_event(old.payload, old.signature, SECRET)


def test_doubled_dropped_and_lost_events(control, receiver):
    control.webhooks(duplicate=2, drop=["payment_intent.created"])
    control.charge_elsewhere(500)
    receiver.wait_for("charge.succeeded", 3)
    receiver.wait_for("payment_intent.succeeded", 3)
    assert "payment_intent.created" not in receiver.types()
    eventually(lambda: all(one["state"] != "pending" for one in control.deliveries()), "the queue to be empty")
    before = len(receiver.deliveries)
    control.webhooks("off", duplicate=0, drop=[])
    control.charge_elsewhere(600)
    control.webhooks("on")
    control.charge_elsewhere(700)
    receiver.wait_for("payment_intent.succeeded", 4)
    eventually(lambda: len(receiver.deliveries) == before + 3, "only the last payment's events")


def test_delayed_and_shuffled_events_arrive_all_the_same(control, receiver):
    control.webhooks(delay=0.2, shuffle=True)
    began = time.monotonic()
    control.charge_elsewhere(500)
    for kind in ("payment_intent.created", "charge.succeeded", "payment_intent.succeeded"):
        receiver.wait_for(kind)
    assert time.monotonic() - began >= 0.2


def test_several_are_delivered_at_once(control, receiver):
    receiver.waits_for_two_at_once()
    control.charge_elsewhere(500)
    receiver.wait_for("payment_intent.succeeded")
    receiver.wait_for("charge.succeeded")


def test_the_signature_follows_the_simulators_clock(control, receiver):
    control.advance(3600)
    control.charge_elsewhere(500)
    delivered = receiver.wait_for("charge.succeeded")[0]
    stamp = int(delivered.signature.split(",")[0].removeprefix("t="))
    assert abs(stamp - time.time() - 3600) < 5
    assert abs(delivered.event.created - time.time() - 3600) < 5
