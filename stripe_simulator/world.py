"""Everything that one simulator shares between its requests and threads."""

from dataclasses import dataclass, field

from stripe_simulator.clock import Clock
from stripe_simulator.store import Store

# The version that stripe-python 16.1.0 pins and sends (`stripe.api_version`).
API_VERSION = "2026-10-28.endive"


@dataclass
class World:
    """The store, the clock, and where the simulator can be reached."""

    store: Store
    clock: Clock
    url: str = "http://127.0.0.1"
    stopped: bool = False
    keys_in_flight: dict[str, str] = field(default_factory=dict)
