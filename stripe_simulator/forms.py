"""Turns `a[b][0][c]=x` form fields into nested dictionaries and lists."""

import re
from collections.abc import Iterable
from typing import Any

from stripe_simulator.errors import invalid

_NAME = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")


def decode(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The nested parameters of a request; every leaf stays a string."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        _plant(tree, _path(name), value)
    return {name: _with_lists(value) for name, value in tree.items()}


def _path(name: str) -> list[str]:
    match = _NAME.match(name)
    if not match:
        raise invalid(f"Invalid parameter name: {name}", param=name)
    return [match.group(1), *re.findall(r"\[([^\[\]]*)\]", match.group(2))]


def _plant(tree: dict[str, Any], path: list[str], value: str) -> None:
    node = tree
    for step in path[:-1]:
        node = node.setdefault(step or str(len(node)), {})
        if not isinstance(node, dict):
            raise invalid(f"Invalid parameter: {path[0]}", param=path[0])
    node[path[-1] or str(len(node))] = value


def _with_lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and sorted(node) == sorted(str(position) for position in range(len(node))):
        return [_with_lists(node[key]) for key in sorted(node, key=int)]
    return {key: _with_lists(value) for key, value in node.items()}
