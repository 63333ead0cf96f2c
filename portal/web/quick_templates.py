"""The library's templates, compiled for this house: nothing in them is asynchronous, sandboxed or changed while the
portal runs, and no function that they call asks for the page it is called from. The library looks whether it is
otherwise at each value of each page, which takes as long as all else that a page needs.

What a template means stays as the library documents it; only the way there is shorter."""

import re
from collections.abc import Callable, MutableMapping
from itertools import groupby
from keyword import iskeyword
from typing import Any

from flask.templating import Environment
from jinja2 import Template, nodes
from jinja2.compiler import CodeGenerator, Frame, optimizeconst
from jinja2.idtracking import VAR_LOAD_ALIAS, VAR_LOAD_PARAMETER, VAR_LOAD_RESOLVE
from jinja2.runtime import Macro
from jinja2.utils import missing
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, _escape_inner  # type: ignore[attr-defined]  # it is written in C

_INDENTATION = re.compile(r"\n[ \t]+")


class _Escaped(dict[str, Markup]):
    """Texts of templates that are escaped already, each made once."""

    def __missing__(self, text: str) -> Markup:
        self[text] = escaped = Markup(text)  # noqa: S704  # see `visit_Const`
        return escaped


_ESCAPED = _Escaped()


class QuickTemplate(Template):
    """Its code finds ours under the library's names."""

    def _get_default_module(self, ctx: Any = None) -> Any:  # noqa: ARG002  # the library passes it
        """A macro sees what it is given and what all templates know, wherever it is imported."""
        return self._module or super()._get_default_module()

    @classmethod
    def _from_namespace(cls, environment: Any, namespace: Any, globals: Any) -> Any:  # its name
        namespace |= {"Macro": _macro, "escape_text": _escape_inner, "escaped": _ESCAPED}
        return super()._from_namespace(environment, namespace, globals)


def _macro(
    environment: Any, body: Callable[..., str], name: str, arguments: tuple[str, ...], *more: Any
) -> Callable[..., Any]:
    """A macro, as templates call it. The library's own sees to all that is not said in so many words here."""
    catches_named, catches_others, wants_caller, escapes = more
    if catches_others or "caller" in arguments or not escapes:
        return Macro(environment, body, name, arguments, *more)  # type: ignore[arg-type]
    count, to_markup, is_plain = len(arguments), str.__new__, not (wants_caller or catches_named)

    def careful(*given: Any, **named: Any) -> Any:
        return Macro(environment, body, name, arguments, *more)(*given, **named)  # type: ignore[arg-type]

    def call(*given: Any, **named: Any) -> Any:
        if is_plain and not named and len(given) == count:
            return to_markup(Markup, body(*given))
        if len(given) > count:
            return careful(*given, **named)
        filled = list(given)
        if named or len(given) < count:
            filled += [named.pop(argument, missing) for argument in arguments[len(given) :]]
        if wants_caller:
            filled.append(named.pop("caller", None) or environment.undefined("No caller defined", name="caller"))
        if catches_named:
            filled.append(named)
        elif named:
            return careful(*given, **named)
        return to_markup(Markup, body(*filled))

    return call


def _or_nothing(child: nodes.Expr) -> nodes.Expr:
    """`{{ "x" if y }}` with its other half: nothing. The library makes an undefined value, which then says nothing."""
    if isinstance(child, nodes.CondExpr) and child.expr2 is None:
        return nodes.CondExpr(child.test, child.expr1, nodes.Const(""), lineno=child.lineno)
    return child


class QuickCompiler(CodeGenerator):
    """Writes the Python code of a template with the shortest way to each value."""

    def visit_Const(self, node: nodes.Const, frame: Frame) -> None:  # noqa: N802  # its name
        if isinstance(value := node.as_const(frame.eval_ctx), Markup):
            self.write(f"escaped[{str(value)!r}]")
        else:
            super().visit_Const(node, frame)

    @optimizeconst
    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802  # its name
        """The attribute; only where there is none, what the library would look for next."""
        self.write("(_value if (_value := getattr((_object := ")
        self.visit(node.node, frame)
        self.write(f"), {node.attr!r}, missing)) is not missing else environment.getattr(_object, {node.attr!r}))")

    @optimizeconst
    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: N802
        self.visit(node.node, frame)
        self.write("(")
        if node.dyn_args or node.dyn_kwargs or any(iskeyword(named.key) for named in node.kwargs):
            self.write("*()")  # the library begins each argument with a comma
            self.signature(node, frame, {"caller": "caller"} if forward_caller else None)
        else:
            for argument in (*node.args, *node.kwargs):
                self.visit(argument, frame)
                self.write(", ")
            self.write("caller=caller" if forward_caller else "")
        self.write(")")

    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:  # noqa: N802  # its name
        """In one piece, and what is escaped already without asking it."""
        if frame.require_output_check or frame.eval_ctx.volatile or not frame.eval_ctx.autoescape:
            super().visit_Output(node, frame)
            return
        self.newline(node)
        self.start_write(frame)
        self.write("concat((")
        for is_known, children in groupby(
            map(_or_nothing, node.nodes), lambda child: self._known(child, frame) is not None
        ):
            if is_known:
                self.write(repr("".join(str(self._known(child, frame)) for child in children)) + ", ")
                continue
            for child in children:
                self.write("_value if type(_value := ")
                self.visit(child, frame)
                self.write(") is Markup else escape_text(_value) if type(_value) is str else escape(_value), ")
        self.write("))")
        self.end_write(frame)

    def _known(self, child: nodes.Expr, frame: Frame) -> str | None:
        """What it is on every page, escaped; None where that depends, and where it is wrong: then the page says so."""
        try:
            return self._output_child_to_const(child, frame, self._make_finalize())
        except Exception:
            return None

    def _import_common(self, node: nodes.Import | nodes.FromImport, frame: Frame) -> None:
        """What a file of macros holds is the same for all that import it without their context."""
        if isinstance(node.template, nodes.Const) and not node.with_context:
            self.write(f"environment.modules[{node.template.value!r}]")
        else:
            super()._import_common(node, frame)

    def write_commons(self) -> None:
        super().write_commons()
        self.writeline("_vars, _parent = context.vars, context.parent")

    def enter_frame(self, frame: Frame) -> None:
        """What comes from outside the template is looked up on the spot and not by a function."""
        if self.get_resolve_func() != "resolve":
            super().enter_frame(frame)
            return
        for target, (how, name) in frame.symbols.loads.items():
            if how == VAR_LOAD_RESOLVE:
                self.writeline(f"{target} = _vars[{name!r}] if {name!r} in _vars else _parent.get({name!r}, missing)")
            elif how != VAR_LOAD_PARAMETER:
                self.writeline(f"{target} = {name if how == VAR_LOAD_ALIAS else 'missing'}")


class Modules(dict[str, Any]):
    """Files of macros by name, each run once; again for each page where templates may change meanwhile."""

    def __init__(self, environment: Environment) -> None:
        super().__init__()
        self._environment = environment

    def __missing__(self, name: str) -> Any:
        module = self._environment.get_template(name)._get_default_module()
        if not self._environment.auto_reload:
            self[name] = module
        return module


class QuickEnvironment(Environment):
    """For templates that come with the portal; set by it as `jinja_environment`."""

    code_generator_class = QuickCompiler
    template_class = QuickTemplate
    last_pass: NodeTransformer | None = None
    """What is done to each template before it is compiled."""

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        self._ready: dict[str, Template] = {}
        self.modules = Modules(self)
        for name, function in self.filters.items():
            if getattr(function, "jinja_async_variant", False):
                self.filters[name] = function.__wrapped__

    def get_template(self, name: Any, parent: str | None = None, globals: Any = None) -> Template:
        """Looked for once; the library asks its own store each time whether the file is still the same."""
        ready = self._ready.get(name)
        if ready is None:
            ready = super().get_template(name, parent, globals)
            if not self.auto_reload and globals is None:
                self._ready[name] = ready
        return ready

    def preprocess(self, source: str, name: str | None = None, filename: str | None = None) -> str:
        """Without indentation, which is a tenth of a page and means nothing in HTML but inside `pre` and `textarea`."""
        return _INDENTATION.sub("\n", super().preprocess(source, name, filename))

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        parsed = super()._parse(source, name, filename)
        return self.last_pass.visit(parsed) if self.last_pass else parsed

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """What all templates know. The library's kind of dictionary is slow to copy, and each page does."""
        return {**self.globals, **d} if d else self.globals
