"""The watch over the logs of all tests sees what it is there to see."""

import logging
from pathlib import Path

import pytest
import structlog

from tests import log_watch, processes

LEAKS = {
    "e-mail": {"who": "rita@limoeiro.example"},
    "address": {"where": ["https://x.example/", "postgresql://portal:pw@db/portal"]},
    "key": {"error": "Invalid API Key provided: sk_test_abc"},
    "webhook secret": {"tried": ("whsec_abc",)},
    "token": {"sent": "portal_abcdefghijklmnop-123"},
    "header": {"headers": {"Authorization": "Bearer abcdefghijkl"}},
    "link": {"path": "/l/WyI3QzJLIl0.abc"},
    "reset": {"path": "/reset/abc"},
    "cookie": {"cookie": "eyJzIjoiMSJ9.aSNnGg.Zm9vYmFyZm9vYmFyZm9vYmFyZm9"},
    "card": {"number": 4242424242424242},
    "card with spaces": {"number": "4000 0000 0000 0002"},
    "guest": {"exception": "Traceback\n ValueError: Inês Carvalho"},
}


@pytest.mark.parametrize("kind", LEAKS)
def test_a_leak_is_seen_before_the_net_takes_it_out(leaking: None, kind: str) -> None:
    log_watch.be_quiet()
    structlog.get_logger().info("something", **LEAKS[kind])
    assert len(log_watch.look()) == 1


@pytest.mark.parametrize("who", ["Zoë Changed", "zoe"])
def test_everybody_who_is_in_the_books_is_known(leaking: None, who: str) -> None:
    log_watch.be_quiet()
    log_watch.people.update({"Zoë Changed", "zoe", ""})
    structlog.get_logger().info("something", about=f"stay of {who}.")
    assert len(log_watch.look()) == (1 if who == "Zoë Changed" else 0)


def test_libraries_are_heard_too(leaking: None) -> None:
    logging.getLogger("library").warning("sent to %s", "rita@limoeiro.example")
    assert len(log_watch.look()) == 1


@pytest.mark.parametrize(("said", "wrong"), [("sk_test_abc", 1), ("a [removed] b", 1), ("7C2K-9V4T-B0XW paid", 0)])
def test_what_a_process_writes_is_read(tmp_path: Path, said: str, wrong: int) -> None:
    process = processes.start("one", ["-c", f"print({said!r})"], {}, tmp_path)
    process.wait_over()
    assert len(log_watch.leaks_of(process.log)) == wrong
    log_watch.files.discard(process.log)


def test_an_ordinary_line_is_none() -> None:
    log_watch.be_quiet()
    structlog.get_logger().info("stripe call", stripe_request="req_ABC", reservation="7C2K-9V4T-B0XW", amount=112_500)
    assert len(log_watch.lines) == 1
    assert log_watch.look() == []
