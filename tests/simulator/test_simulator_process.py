"""The simulator as a process of its own: it starts plainly, and a `kill -9` loses nothing that was answered."""

import contextlib
import signal
import socket
import subprocess
import sys

import pytest
import stripe

from stripe_simulator import Control
from tests.simulator import shop
from tests.simulator.conftest import check_everything
from tests.simulator.receiver import SECRET


@contextlib.contextmanager
def running(*arguments):
    command = [sys.executable, "-m", "stripe_simulator", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline().strip()
            assert line.startswith("listening on http://127.0.0.1:"), process.stderr.read()
            yield process, line.removeprefix("listening on ")
        finally:
            process.kill()


def test_everything_survives_a_kill(tmp_path, receiver):
    state = ("--state", str(tmp_path / "stripe.db"))
    hooks = ("--webhook-url", receiver.url, "--webhook-secret", SECRET)
    with running("--port", "0", *hooks, *state) as (process, url):
        api, control = shop.client(url), Control(url)
        control.webhooks("hold")
        control.freeze()
        control.advance(1000)
        now = control.now()
        options = {"idempotency_key": "key-1"}
        params = shop.order(expires_at=now + 3600)
        first = api.v1.checkout.sessions.create(params=params, options=options)
        paid = control.pay(first.id)["session"]
        opened = api.v1.checkout.sessions.create(params=params).id
        control.refund(paid["payment_intent"], 100)
        control.fault("429", path="/v1/events")
        truth, events = control.truth(), control.events()
        process.send_signal(signal.SIGKILL)
        process.wait(5)
    assert receiver.deliveries == []
    with running("--port", "0", *state) as (_, url):
        api, control = shop.client(url), Control(url)
        assert control.now() == now
        books = control.truth()
        for one in (*truth["sessions"], *books["sessions"]):
            one.pop("url")  # the second process has another port
        assert books == truth
        assert control.events() == events
        with pytest.raises(stripe.RateLimitError):
            api.v1.events.list()
        again = api.v1.checkout.sessions.create(params=params, options=options)
        assert (again.id, again.last_response.headers["Idempotent-Replayed"]) == (first.id, "true")
        control.webhooks("on")
        for event in events:
            receiver.wait_for(event["type"], [one["type"] for one in events].count(event["type"]))
        assert api.v1.checkout.sessions.retrieve(opened).url.startswith(url)
        assert control.pay(opened)["status"] == "paid"
        check_everything(control)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_asked(number):
    with running("--port", "0") as (process, _):
        process.send_signal(number)
        assert process.wait(5) == 0
        assert process.stderr.read() == ""


def test_a_port_in_use_is_one_clear_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "stripe_simulator", "--port", port]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"cannot listen on port {port}" in done.stderr


def test_two_processes_do_not_share_a_state_file(tmp_path):
    state = str(tmp_path / "stripe.db")
    with running("--port", "0", "--state", state):
        command = [sys.executable, "-m", "stripe_simulator", "--port", "0", "--state", state]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert "cannot use the state file" in done.stderr


def test_help_explains():
    command = [sys.executable, "-m", "stripe_simulator", "--help"]
    text = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
    for words in ("--port", "--webhook-url", "--webhook-secret", "--state", "not Stripe"):
        assert words in text
