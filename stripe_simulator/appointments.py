"""Makes an appointment with the future; `later` keeps it."""

from stripe_simulator.world import World

# Long enough that a program has seen the first state, short enough for a person who watches.
SOON_SECONDS = 3


def soon(world: World, what: str, object_id: str) -> None:
    """Let something happen to an object a few simulated seconds from now."""
    world.store.rows(
        "INSERT INTO later (due, what, object_id) VALUES (?, ?, ?)",
        (world.clock.now() + SOON_SECONDS, what, object_id),
    )
