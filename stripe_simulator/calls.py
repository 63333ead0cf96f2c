"""One call of the API, as the functions that answer it see it."""

from dataclasses import dataclass
from typing import Any

from stripe_simulator.world import World


@dataclass(frozen=True)
class Call:
    """The decoded parameters of a request."""

    world: World
    method: str
    path: str
    params: dict[str, Any]
    request_id: str
    key: str | None = None
