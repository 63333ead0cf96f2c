"""`python -m demo_mailbox`: runs the mailbox until it is interrupted."""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence

from demo_mailbox.server import HOST, start


def main(arguments: Sequence[str] | None = None) -> int:
    """Start, print the addresses, and wait for SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(
        prog="python -m demo_mailbox", description="A mail server for demos that shows what it took, in memory alone."
    )
    parser.add_argument("--smtp-port", type=int, default=1025, help="where mails are handed in (%(default)s)")
    parser.add_argument("--port", type=int, default=8025, help="of the page that shows them (%(default)s)")
    asked = parser.parse_args(arguments)
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    try:
        server = start(asked.smtp_port, asked.port)
    except (OSError, SystemExit) as error:  # the page's server ends the process where another raises
        print(f"demo_mailbox: cannot listen on the ports {asked.smtp_port} and {asked.port}: {error}", file=sys.stderr)
        return 1
    print(f"mails to smtp://{HOST}:{asked.smtp_port}, shown at {server.url}", flush=True)
    over.wait()
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
