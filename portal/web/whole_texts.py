"""Texts that are the same for everybody become part of the template when it is compiled. In a house with one language
that is nearly all of a page: to look them up one by one for each page took as long as the database does."""

from jinja2 import nodes
from jinja2.visitor import NodeTransformer
from markupsafe import Markup


class WholeTexts(NodeTransformer):
    """Puts what `_("…")` gives, with nothing to put in, in the place of the call. For pages that all have the language
    that their texts are written in."""

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802  # the library's name
        text = _whole_text(node)
        if text is None:
            return self.generic_visit(node)
        # As in every text, a percent sign is written twice.
        return nodes.Const(Markup(text.replace("%%", "%")), lineno=node.lineno)  # noqa: S704  # of our own templates

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        """Left as it is: of known parts the library would make one, and forget which of them is escaped."""
        return node


def _whole_text(call: nodes.Call) -> str | None:
    is_text = isinstance(call.node, nodes.Name) and call.node.name == "_"
    if not is_text or len(call.args) != 1 or call.kwargs or call.dyn_args or call.dyn_kwargs:
        return None
    said = call.args[0]
    return said.value if isinstance(said, nodes.Const) and isinstance(said.value, str) else None
