"""Replaces ids by whole objects where a call asks for it with `expand[]`."""

from collections.abc import Callable

from stripe_simulator import listing
from stripe_simulator.errors import ApiError, invalid
from stripe_simulator.store import Doc, public
from stripe_simulator.world import World

_LINKS = {
    "checkout.session": {"payment_intent": "payment_intent"},
    "payment_intent": {"latest_charge": "charge"},
    "charge": {"payment_intent": "payment_intent"},
    "refund": {"charge": "charge", "payment_intent": "payment_intent"},
    "dispute": {"charge": "charge", "payment_intent": "payment_intent"},
}


def expand(world: World, doc: Doc, paths: list[str]) -> Doc:
    """The public form of an object, with everything that the paths name filled in."""
    shown = public(doc)
    for path in paths:
        if path.count(".") > 3:
            raise invalid(f"You cannot expand more than 4 levels of a property ({path}).", param="expand")
        _fill(world, doc, shown, path.split("."), path)
    return shown


def expand_list(world: World, answer: Doc, docs: list[Doc], paths: list[str]) -> Doc:
    """The same for a list, whose paths start with `data.`."""
    for path in paths:
        if not path.startswith("data."):
            raise _cannot(path)
    inner = [path.removeprefix("data.") for path in paths]
    return answer | {"data": [expand(world, doc, inner) for doc in docs]}


def _fill(world: World, doc: Doc, shown: Doc, steps: list[str], path: str) -> None:
    name, rest = steps[0], steps[1:]
    if (maker := _LISTS.get((doc["object"], name))) and not rest:
        shown[name] = maker(world, doc)
        return
    kind = _LINKS.get(doc["object"], {}).get(name)
    if kind is None:
        raise _cannot(path)
    if doc.get(name) is None:
        return
    inner = world.store.get(kind, doc[name])
    if isinstance(shown[name], str):
        shown[name] = public(inner)
    if rest:
        _fill(world, inner, shown[name], rest, path)


def _line_items(_world: World, session: Doc) -> Doc:
    return listing.whole(f"/v1/checkout/sessions/{session['id']}/line_items", session["_line_items"])


def _refunds(world: World, charge: Doc) -> Doc:
    found = world.store.select("refund", {"charge": charge["id"]})
    return listing.whole(f"/v1/charges/{charge['id']}/refunds", [public(refund) for refund in found])


_LISTS: dict[tuple[str, str], Callable[[World, Doc], Doc]] = {
    ("checkout.session", "line_items"): _line_items,
    ("charge", "refunds"): _refunds,
}


def _cannot(path: str) -> ApiError:
    return invalid(f"This property cannot be expanded ({path}).", param="expand")
