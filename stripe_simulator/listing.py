"""Lists as Stripe pages through them: newest first, by cursors, with `has_more`."""

from collections.abc import Mapping, Sequence
from typing import Any

from stripe_simulator import shapes
from stripe_simulator.errors import invalid, no_such
from stripe_simulator.shapes import Reader
from stripe_simulator.store import Doc
from stripe_simulator.world import World

_BOUNDS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}

PAGING: dict[str, Reader] = {
    "limit": shapes.integer(),
    "starting_after": shapes.text(),
    "ending_before": shapes.text(),
    "expand": shapes.several(shapes.text()),
}
CREATED: dict[str, Reader] = {
    "created": shapes.either(shapes.nested({name: shapes.integer() for name in _BOUNDS}), shapes.integer())
}


def whole(url: str, items: list[Doc]) -> Doc:
    """A list that fits on one page."""
    return {"object": "list", "data": items, "has_more": False, "url": url}


def page(
    world: World,
    kind: str,
    asked: Mapping[str, Any],
    equal: Mapping[str, Any],
    conditions: Sequence[tuple[str, Any]] = (),
) -> tuple[list[Doc], bool]:
    """One page of a kind of object and whether more follow."""
    limit = limit_of(asked)
    bounds = [*conditions, *_created(asked.get("created"))]
    backwards = "ending_before" in asked
    if backwards:
        bounds.append(("seq > ?", _cursor(world, kind, asked, "ending_before")))
    if "starting_after" in asked:
        bounds.append(("seq < ?", _cursor(world, kind, asked, "starting_after")))
    found = world.store.select(kind, equal, bounds, oldest_first=backwards, limit=limit + 1)
    more, found = len(found) > limit, found[:limit]
    return (found[::-1] if backwards else found), more


def limit_of(asked: Mapping[str, Any]) -> int:
    """The page size: 1 to 100, 10 when not given."""
    limit = int(asked.get("limit", 10))
    if limit < 1:
        words = f"This value must be greater than or equal to 1 (it currently is '{limit}')."
        raise invalid(words, code="parameter_invalid_integer", param="limit")
    if limit > 100:
        words = f"This value must be less than or equal to 100 (it currently is '{limit}')."
        raise invalid(words, code="parameter_invalid_integer", param="limit")
    return limit


def _created(asked: Any) -> list[tuple[str, Any]]:
    if asked is None:
        return []
    if isinstance(asked, int):
        return [("created = ?", asked)]
    return [(f"created {_BOUNDS[name]} ?", moment) for name, moment in asked.items()]


def _cursor(world: World, kind: str, asked: Mapping[str, Any], name: str) -> int:
    position = world.store.sequence_of(kind, asked[name])
    if position is None:
        raise no_such(kind, asked[name], param=name, status=400)
    return position
