"""Serves one simulator on 127.0.0.1, in a thread of this process."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from stripe_simulator import api, control_routes, home, hosted, sessions, webhooks
from stripe_simulator.clock import Clock
from stripe_simulator.couriers import Couriers
from stripe_simulator.store import Store
from stripe_simulator.world import World

HOST = "127.0.0.1"


class _QuietHandler(WSGIRequestHandler):
    # Headers and body are two writes; with Nagle's algorithm the second waits 40 ms for the first one's receipt.
    disable_nagle_algorithm = True

    def connection_dropped(self, error: BaseException, environ: dict[str, Any] | None = None) -> None:
        """Close it, instead of waiting for the next request on it."""
        super().connection_dropped(error, environ)
        self.close_connection = True

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The Date of an answer: Stripe's clock is the simulator's."""
        return super().date_time_string(self.server.app.world.clock.now() if timestamp is None else timestamp)

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing."""


class _HangUp:
    """Closes the connection without an answer, where a scripted fault asks for it or the simulator has stopped."""

    def __init__(self, app: Any, world: World) -> None:
        self._app, self.world = app, world

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if self.world.stopped:  # a kept-alive connection may outlive the server
            raise ConnectionAbortedError("stopped")
        late: list[tuple[Any, ...]] = []
        answer = self._app(environ, lambda *parts: late.append(parts))
        try:
            whole = b"".join(answer)  # read and closed now: a browser that goes away would leave a static file open
        finally:
            if hasattr(answer, "close"):
                answer.close()
        if environ.get(api.HANG_UP):
            raise ConnectionAbortedError("scripted")  # werkzeug drops the connection quietly
        for parts in late:
            start_response(*parts)
        return [whole]


class Simulator:
    """A running simulator; `stop()` ends it."""

    def __init__(self, world: World, listener: socket.socket) -> None:
        self.world = world
        self._listener = listener
        app = Flask(__name__)
        app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
        for blueprint in (api.blueprint(world), hosted.blueprint(world), control_routes.blueprint(world)):
            app.register_blueprint(blueprint)
        app.register_blueprint(home.blueprint(world))
        served = _HangUp(app, world)
        self._server = make_server(HOST, 0, served, threaded=True, request_handler=_QuietHandler, fd=listener.fileno())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._couriers = Couriers(world)

    @property
    def url(self) -> str:
        """Where the API, the hosted page and the control surface are."""
        return self.world.url

    @property
    def webhook_url(self) -> str | None:
        """Where events are delivered."""
        return webhooks.settings(self.world).url

    @webhook_url.setter
    def webhook_url(self, url: str | None) -> None:
        webhooks.change(self.world, url=url)

    def run(self) -> None:
        """Start answering and delivering."""
        self._thread.start()
        self._couriers.start()

    def stop(self) -> None:
        """Stop answering and delivering; what was answered is kept in the state file."""
        self.world.stopped = True
        self._server.shutdown()
        self._server.server_close()
        self._listener.close()
        self._couriers.stop()
        self.world.store.close()


def start(
    port: int = 0,
    webhook_url: str | None = None,
    webhook_secrets: Sequence[str] = (),
    state: str | Path | None = None,
) -> Simulator:
    """Start a simulator; port 0 takes any free one. OSError when the port is in use."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        store = Store(str(state) if state else None)
    except BaseException:
        listener.close()
        raise
    listener.listen(128)
    world = World(store, Clock(store), f"http://{HOST}:{listener.getsockname()[1]}")
    if webhook_url:
        webhooks.change(world, url=webhook_url)
    if webhook_secrets:
        webhooks.change(world, secrets=list(webhook_secrets))
    sessions.follow_address(world)
    simulator = Simulator(world, listener)
    simulator.run()
    return simulator
