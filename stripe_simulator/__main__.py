"""`python -m stripe_simulator`: runs the simulator until it is interrupted."""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence

from stripe_simulator.server import HOST, start
from stripe_simulator.store import StateInUseError


def main(arguments: Sequence[str] | None = None) -> int:
    """Start, print the address, and wait for SIGTERM or SIGINT."""
    asked = _parser().parse_args(arguments)
    secrets = [secret.strip() for secret in asked.webhook_secret.split(",") if secret.strip()]
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    try:
        simulator = start(asked.port, asked.webhook_url, secrets, asked.state)
    except StateInUseError as error:
        return _give_up(str(error))
    except OSError as error:
        return _give_up(f"cannot listen on port {asked.port} of {HOST}: {error.strerror}")
    print(f"listening on {simulator.url}", flush=True)
    over.wait()
    simulator.stop()
    return 0


def _give_up(reason: str) -> int:
    print(f"stripe_simulator: {reason}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m stripe_simulator",
        description="A local stand-in for Stripe, for demos and tests. It is not Stripe: no money moves.",
    )
    parser.add_argument("--port", type=int, default=12111, help="port on 127.0.0.1; 0 takes any free one (%(default)s)")
    parser.add_argument("--webhook-url", help="where events are delivered, for example http://127.0.0.1:8000/webhooks")
    parser.add_argument(
        "--webhook-secret", default="", help="signing secret; two with a comma while rolling (whsec_simulator)"
    )
    parser.add_argument("--state", metavar="FILE", help="SQLite file that keeps everything; without it, memory only")
    return parser


if __name__ == "__main__":
    sys.exit(main())
