"""What breaks off on the way is refused, and never taken for an empty request: that of a refund would mean all of it."""

import json
import socket
import struct
from collections.abc import Callable
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from portal.deps import Deps
from portal.models import ApiAnswer, Payment, Refund, Reservation
from tests import processes
from tests.actors import rows
from tests.api.program import make_token
from tests.conftest import Serve
from tests.refunds.hotel import Hotelier

WHOLE = json.dumps({"amount": 1_000, "reason": "no breakfast"}).encode()


def hang_up(connection: socket.socket) -> None:
    connection.close()


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.mark.parametrize("headers", [b"Content-Length: %d\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"])
@pytest.mark.parametrize("leaves", [hang_up, reset])
def test_a_request_that_breaks_off_changes_nothing(
    serve_with_gunicorn: Serve,
    deps: Deps,
    hotel: Hotelier,
    make_reservation: Callable[..., Reservation],
    headers: bytes,
    leaves: Callable[[socket.socket], None],
) -> None:
    stay = make_reservation()
    hotel.is_paid(stay)
    (payment,) = rows(Payment)
    process, url = serve_with_gunicorn(WEB_WORKERS="1")
    is_chunked, address, token = b"%" not in headers, urlsplit(url), make_token(deps)
    parts = [b"", WHOLE[:12], WHOLE[:-1]]
    for number, part in enumerate(parts):
        sent = b"%x\r\n%s\r\n" % (len(part), part) if part and is_chunked else part
        connection = socket.create_connection((address.hostname or "", address.port or 0), 10)
        with closing(connection):
            connection.sendall(
                f"POST /api/payments/{payment.public_id}/refund HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                f"Authorization: Bearer {token}\r\nIdempotency-Key: key-{number}\r\nContent-Type: application/json\r\n"
                "".encode()
                + (headers if is_chunked else headers % len(WHOLE))
                + sent
            )
            leaves(connection)
    processes.wait_until(lambda: refused(process) == len(parts), "each is refused")
    assert rows(Refund) == []
    assert rows(Reservation)[0].status == "confirmed"
    assert [answer.status for answer in rows(ApiAnswer) if answer.status == 200] == []


def refused(process: processes.Process) -> int:
    """How many requests were answered with 400, by the log."""
    told = [json.loads(line) for line in process.said().splitlines() if line.startswith("{")]
    return sum(line.get("event") == "request" and line["status"] == 400 for line in told)
