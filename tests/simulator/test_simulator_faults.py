"""Trouble on the way: scripted faults and idempotency keys, as the SDK meets them."""

import threading

import pytest
import requests
import stripe

from stripe_simulator import start
from stripe_simulator.control import ControlError
from tests.simulator import shop
from tests.simulator.receiver import eventually

SESSIONS = "/v1/checkout/sessions"


def create(api, key=None, **changes):
    options = {"idempotency_key": key} if key else {}
    return api.v1.checkout.sessions.create(params=shop.order(expires_at=None, **changes), options=options)


def count(control):
    return len(control.truth()["sessions"])


@pytest.mark.parametrize(
    ("kind", "error", "status"),
    [
        ("429", stripe.RateLimitError, 429),
        ("401", stripe.AuthenticationError, 401),
        ("500", stripe.APIError, 500),
        ("not_json", stripe.APIError, 200),
        ("reset_before", stripe.APIConnectionError, None),
        ("timeout_before", stripe.APIConnectionError, None),
    ],
)
def test_faults_without_an_effect(api, control, kind, error, status):
    control.fault(kind, method="POST", path=SESSIONS, seconds=0.01)
    with pytest.raises(error) as caught:
        create(api, "key-1")
    assert caught.value.http_status == status
    assert count(control) == 0
    assert create(api, "key-1").last_response.headers.get("Idempotent-Replayed") is None
    assert count(control) == 1


@pytest.mark.parametrize("kind", ["timeout_after", "lost_answer"])
def test_faults_after_the_effect(api, control, kind):
    control.fault(kind, method="POST", path=SESSIONS, seconds=0.01)
    with pytest.raises(stripe.APIConnectionError):
        create(api, "key-1")
    assert count(control) == 1
    again = create(api, "key-1")
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert [again.id] == [one["id"] for one in control.truth()["sessions"]]
    assert [one["answered"] for one in control.requests()] == [False, True]


def test_a_client_with_a_short_patience_times_out(simulator, control):
    hasty = shop.client(simulator.url, http_client=stripe.RequestsClient(timeout=0.2))
    control.fault("timeout_after", path=SESSIONS, seconds=0.5)
    with pytest.raises(stripe.APIConnectionError):
        create(hasty, "key-1")
    assert create(hasty, "key-1").last_response.headers["Idempotent-Replayed"] == "true"


def test_a_stored_500_comes_back_every_time(api, control):
    control.fault("500_stored", path=SESSIONS)
    for _ in range(2):
        with pytest.raises(stripe.APIError) as caught:
            create(api, "key-1")
        assert caught.value.http_status == 500
    assert create(api, "key-2").status == "open"
    assert count(control) == 1


def test_faults_match_run_out_and_can_be_cleared(api, control):
    control.fault("500", method="GET", times=2)
    session = create(api)
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            api.v1.checkout.sessions.retrieve(session.id)
    assert api.v1.checkout.sessions.retrieve(session.id).id == session.id
    control.fault("500", path="/v1/refunds*", times=9)
    control.clear_faults()
    assert api.v1.refunds.list().data == []
    with pytest.raises(ControlError, match="unknown fault"):
        control.fault("flood")


def test_the_sdk_gets_through_a_short_disturbance_with_one_session(simulator, control):
    patient = shop.client(simulator.url, max_network_retries=2)
    control.fault("lost_answer", path=SESSIONS)
    assert create(patient).status == "open"
    assert count(control) == 1


def test_a_repeated_key_replays_the_first_answer(api, control):
    first, again = create(api, "key-1"), create(api, "key-1")
    assert first.id == again.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert again.last_response.headers["Idempotency-Key"] == "key-1"
    assert again.last_response.request_id != first.last_response.request_id
    control.pay(first.id)
    assert create(api, "key-1").status == "open"  # the answer of then, not the state of now


def test_a_key_belongs_to_its_parameters(api, control):
    create(api, "key-1")
    with pytest.raises(stripe.IdempotencyError) as caught:
        create(api, "key-1", amount=5_000)
    assert caught.value.http_status == 400
    assert caught.value.user_message == (
        "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a"
        " key other than 'key-1' if you meant to execute a different request."
    )
    with pytest.raises(stripe.IdempotencyError):
        api.v1.refunds.create(params={"charge": "ch_1"}, options={"idempotency_key": "key-1"})
    assert count(control) == 1


def test_a_failed_validation_leaves_the_key_free(api):
    with pytest.raises(stripe.InvalidRequestError):
        create(api, "key-1", amount=1)
    assert create(api, "key-1").status == "open"


def test_a_refusal_by_state_is_remembered(api, control, paid):
    intent = paid()
    refund = control.refund(intent.id)
    params, options = {"payment_intent": intent.id}, {"idempotency_key": "ref-1"}
    with pytest.raises(stripe.InvalidRequestError):
        api.v1.refunds.create(params=params, options=options)
    control.move_refund(refund["id"], "failed")
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.v1.refunds.create(params=params, options=options)
    assert caught.value.code == "charge_already_refunded"
    assert caught.value.headers["Idempotent-Replayed"] == "true"
    assert api.v1.refunds.create(params=params, options={"idempotency_key": "ref-2"}).status == "succeeded"


def test_a_key_in_use_is_a_conflict(simulator, api, control):
    control.fault("slow", path=SESSIONS, seconds=0.8)
    slow = threading.Thread(target=create, args=(shop.client(simulator.url), "key-1"))
    slow.start()
    eventually(lambda: "key-1" in simulator.world.keys_in_flight, "the first request to be under way")
    with pytest.raises(stripe.APIError) as caught:
        create(api, "key-1")
    assert (caught.value.http_status, caught.value.error.code) == (409, "idempotency_key_in_use")
    assert create(api, "key-2").status == "open"
    slow.join()
    assert create(api, "key-1").last_response.headers["Idempotent-Replayed"] == "true"
    assert count(control) == 2


def test_many_at_once_with_one_key_make_one_session(simulator, control):
    client = shop.client(simulator.url, max_network_retries=5)
    made = []
    threads = [threading.Thread(target=lambda: made.append(create(client, "key-1").id)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert set(made) == {control.truth()["sessions"][0]["id"]}
    assert count(control) == 1


def test_a_key_is_forgotten_after_a_day(api, control):
    control.freeze()
    first = create(api, "key-1")
    control.advance(24 * 3600 - 1)
    assert create(api, "key-1").id == first.id
    control.advance(1)
    assert create(api, "key-1").id != first.id
    assert create(api, "key-1", amount=112_500).last_response.headers["Idempotent-Replayed"] == "true"


def test_a_key_may_not_be_too_long(api):
    with pytest.raises(stripe.IdempotencyError):
        create(api, "k" * 256)
    assert create(api, "k" * 255).status == "open"


def test_missing_keys_and_unknown_paths(simulator):
    missing = requests.get(simulator.url + "/v1/events", timeout=5)
    assert (missing.status_code, missing.json()["error"]["type"]) == (401, "invalid_request_error")
    basic = requests.get(simulator.url + "/v1/events", auth=("sk_test_x", ""), timeout=5)
    assert basic.status_code == 200
    lost = requests.post(simulator.url + "/v1/nonsense", auth=("sk_test_x", ""), timeout=5)
    assert (lost.status_code, "Unrecognized request URL" in lost.json()["error"]["message"]) == (404, True)
    assert lost.headers["Request-Id"].startswith("req_")


def test_reset_forgets_everything_but_the_endpoint(api, control, paid, receiver):
    paid()
    control.advance(5000)
    control.fault("500", times=5)
    control.reset()
    assert not any(control.truth().values())
    assert control.events() == control.requests() == control.deliveries() == []
    assert api.v1.checkout.sessions.list().data == []
    control.charge_elsewhere(900)
    receiver.wait_for("charge.succeeded", 2)


def test_a_stopped_simulator_answers_no_more():
    simulator = start()
    client = shop.client(simulator.url)
    client.v1.checkout.sessions.list()
    simulator.stop()
    with pytest.raises(stripe.APIConnectionError):
        client.v1.checkout.sessions.list()
