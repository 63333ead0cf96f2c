"""The frame of every endpoint: who calls, what was sent, once or again, and one shape for all answers."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from flask import Blueprint, Response, request

from portal import logs
from portal.api import auth, once, refusals
from portal.api.auth import Caller
from portal.api.model import Model, read
from portal.deps import Deps
from portal.services.idempotency import Claim
from portal.web import programs
from portal.web.context import get_deps

LARGEST_BODY = 64 * 1024

api = Blueprint("api", __name__, url_prefix="/api")


@dataclass(frozen=True)
class Call:
    """One request to one endpoint. `body` is of the model that the endpoint takes; `claim` makes it happen once."""

    deps: Deps
    caller: Caller
    body: Any = None
    claim: Claim = field(default_factory=Claim)


View = Callable[..., Model]
Again = Callable[[Call, dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Endpoint:
    """What its frame goes by, and what the OpenAPI document tells of it."""

    method: str
    path: str
    """As Flask writes it, below /api."""
    scope: str
    gives: type[Model]
    takes: type[Model] | None
    status: int
    refuses: tuple[int, ...]
    """Statuses besides those that every endpoint may answer with."""
    guests: bool
    """Whether a guest's token may do it, with the guest's own stay."""
    view: View
    again: Again | None
    """Puts into an answer that is given again what is not stored with it."""


ENDPOINTS: list[Endpoint] = []


def endpoint(
    method: str,
    path: str,
    *,
    scope: str,
    gives: type[Model],
    takes: type[Model] | None = None,
    status: int = 200,
    refuses: tuple[int, ...] = (),
    guests: bool = True,
    again: Again | None = None,
) -> Callable[[View], View]:
    """Makes a function `view(call, **ids)` answer at `path`; its doc string is the endpoint's description."""

    def register(view: View) -> View:
        made = Endpoint(method, path, scope, gives, takes, status, refuses, guests, view, again)
        ENDPOINTS.append(made)
        api.add_url_rule(path, view.__name__, partial(_answer, made), methods=[method])
        return view

    return register


def _answer(made: Endpoint, **ids: str) -> Response:
    deps = get_deps()
    caller = auth.current_caller(deps)
    logs.add(caller=caller.actor)
    auth.check_scope(caller, made.scope, guests=made.guests)
    if made.method == "GET":
        return _do(made, Call(deps, caller), ids)
    raw = _read_raw()
    call = Call(deps, caller, read(made.takes, raw) if made.takes else None)
    asked = b"\0".join((request.method.encode(), request.path.encode(), raw))
    return once.answer(
        deps,
        caller.name,
        asked,
        do=lambda claim: _do(made, replace(call, claim=claim), ids),
        again=lambda stored: made.again(call, stored) if made.again else stored,
    )


def _do(made: Endpoint, call: Call, ids: dict[str, str]) -> Response:
    answer = made.view(call, **ids)
    return Response(answer.model_dump_json(), made.status, mimetype="application/json")


def _read_raw() -> bytes:
    raw = programs.read_body(LARGEST_BODY)
    if raw and request.mimetype != "application/json":
        raise refusals.ApiRefusal(415, "The body is not JSON.", "Send it with Content-Type: application/json.")
    return raw
