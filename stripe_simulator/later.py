"""What happens by itself when the simulator's time comes: sessions expire, some refunds move, a dispute opens."""

from stripe_simulator import disputes, refunds, sessions
from stripe_simulator.world import World


def run_due(world: World) -> None:
    """Do everything that is due by now, in the order in which it fell due."""
    sessions.expire_overdue(world)
    now = world.clock.now()
    if not world.store.rows("SELECT 1 FROM later WHERE due <= ? LIMIT 1", (now,)):
        return
    with world.store.transaction():
        due = world.store.rows("SELECT id, what, object_id FROM later WHERE due <= ? ORDER BY due, id", (now,))
        for row in due:
            world.store.rows("DELETE FROM later WHERE id = ?", (row["id"],))
            _do(world, row["what"], row["object_id"])


def _do(world: World, what: str, object_id: str) -> None:
    match what:
        case "refund_succeeds":
            refunds.move_if(world, object_id, "pending", "succeeded")
        case "refund_fails":
            refunds.move_if(world, object_id, "succeeded", "failed")
        case "dispute":
            disputes.open_if_possible(world, object_id)
