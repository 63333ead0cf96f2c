"""The simulator is its own program: it knows nothing of the portal."""

import ast
from pathlib import Path

import stripe_simulator


def test_it_imports_nothing_of_the_portal():
    for path in Path(stripe_simulator.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] in ("portal", "stripe", "tests")], path
