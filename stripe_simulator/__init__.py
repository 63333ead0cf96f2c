"""A stateful local stand-in for Stripe, for the demo and the tests. It is not Stripe: no money moves."""

from stripe_simulator.control import Control
from stripe_simulator.server import Simulator, start

__all__ = ["Control", "Simulator", "start"]
