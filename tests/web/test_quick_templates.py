"""Pages from the house's own compiler read, letter for letter, as those from the library's."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.templating import Environment
from jinja2 import DictLoader, UndefinedError
from jinja2.utils import _PassArg
from markupsafe import Markup

from portal import create_app
from portal.deps import Deps
from portal.web.quick_templates import QuickEnvironment

HOSTILE = """<b title='x"'>&amp; %s {{ name }}"""

MACROS = """{% macro plain(a, b="dflt") -%}[{{ a }}|{{ b }}]{%- endmacro %}
{% macro wraps(tone) -%}<{{ tone }} {{ kwargs | xmlattr }}>{{ caller() }}</{{ tone }}>{%- endmacro %}
{% macro several() -%}{{ varargs | join(",") }}{%- endmacro %}
{% macro given(caller=none) -%}{{ caller is none }}{%- endmacro %}
{% macro asks(x) -%}{{ caller(x) }}{%- endmacro %}
{% macro of_all() -%}{{ everywhere }}{{ shared("<") }}{%- endmacro %}"""

BASE = """<title>{% block title %}{{ self.heading() }}{% endblock %}</title>{% block heading %}base{% endblock %}
{% block main %}in the base {{ name }}{% endblock %} {{ name }}{% set later = name %}"""

PAGES = {
    "values": "{{ name }} {{ safe }} {{ 3 }} {{ 2.5 }} {{ none }} {{ name | upper }} {{ name | safe }} {{ '<' ~ name }} {{ [name] }}",
    "attributes": "{{ stay.code }} {{ stay.missing }}! {{ stay['code'] }} {{ held.items() | list }} {{ held.code }} {{ held.none }}"
    " {{ stay.room.name }} {{ held['no'] is defined }} {{ nowhere }} {{ nowhere is defined }}",
    "conditions": "{{ 'a' if stay.code else 'b' }}{{ 'x' if nowhere }}{% if held.code == '<c>' and not none %}yes{% else %}no{% endif %}",
    "loops": "{% for row in rows if row != 2 %}{{ loop.index }}{{ row }}{{ shared(row) }}{{ name }}{% set name = row %}"
    "{% else %}none{% endfor %}{{ name }}{% for a, b in held.items() %}{{ a }}={{ b }}{% endfor %}"
    "{% for row in [] %}{% else %}empty {{ name }}{% endfor %}",
    "calls": "{{ shared(name) }}{{ shared(text=name) }}{{ shared(*[name]) }}{{ shared(**{'text': name}) }}{{ named(class='c', x=1) }}"
    "{{ stay.method(2) }}{{ held.get('code') }}{{ name.replace('<', '>') }}",
    "calls of macros": '{% from "macros" import plain, wraps, several, given, asks, of_all %}{{ plain(name) }}{{ plain(name, safe) }}'
    "{{ plain(b=name, a=1) }}{{ plain() }}{% call wraps('p', role=name, hidden=true) %}{{ name }}<br>{% endcall %}"
    "{{ several(1, name, safe) }}{{ given() }}{% call(x) asks(name) %}{{ x }}{{ stay.code }}{% endcall %}{{ of_all() }}",
    "with context": '{% from "counted" import of_page with context %}{{ of_page() }}{% import "macros" as all %}{{ all.plain(1) }}',
    "includes": "{% for row in rows %}{% include 'row' %}{% endfor %}{% set name = 'set' %}{% include 'row' %}",
    "inherits": '{% extends "base" %}{% set own = name %}{% block heading %}{{ own }}!{% endblock %}{% block main %}{{ super() }}{{ own }}'
    "{% set name = 1 %}{{ name }}{% endblock %}",
    "inherits nothing": '{% extends "base" %}',
    "sets": "{% set text %}<i>{{ name }}</i>{% endset %}{{ text }}{% set a, b = 1, name %}{{ a }}{{ b }}{% with x = name %}{{ x }}{% endwith %}",
    "filters": "{{ rows | join(', ') }}{{ [name, safe] | join('<') }}{{ rows | select('odd') | list }}{{ stays | map(attribute='code') | first }}"
    "{{ stays | selectattr('code', 'equalto', '<c>') | list | length }}{{ rows | sum }}{{ rows | reject('odd') | join }}"
    "{{ rows | unique | list }}{{ nowhere | default(name) }}{% filter upper %}{{ name }}{% endfilter %}",
    "raw text": "100%% {% raw %}{{ x }}{% endraw %} '\"\\ {# no #}\n{{- name -}}\n",
}
PARTS = {"macros": MACROS, "base": BASE, "row": "({{ row }}{{ name }})"}
PARTS["counted"] = "{% macro of_page() %}{{ name }}{{ stay.code }}{% endmacro %}"


class Stay(SimpleNamespace):
    def method(self, number: int) -> str:
        return "<" * number


def facts() -> dict[str, Any]:
    stay = Stay(code="<c>", room=SimpleNamespace(name="R & B"))
    rows = [1, 2, 3]
    held = {"code": "<c>", "items": 1}
    return {"name": HOSTILE, "safe": Markup("<hr>"), "stay": stay, "stays": [stay], "rows": rows, "held": held}


def environment(kind: type[Environment]) -> Environment:
    made = kind(Flask("one"), loader=DictLoader({**PARTS, **PAGES}), autoescape=True)
    made.globals.update(shared=lambda text: f"({text})", named=lambda **given: sorted(given.items()), everywhere="<E>")
    return made


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_the_same_letter_for_letter(page: str) -> None:
    quick = environment(QuickEnvironment)
    first = quick.get_template(page).render(**facts())
    assert first == environment(Environment).get_template(page).render(**facts())
    assert quick.get_template(page).render(**facts()) == first, "and once it is known, too"
    assert ("<b title" in first) == ("name | safe" in PAGES[page])


@pytest.mark.parametrize(
    "wrong",
    [
        "{{ nowhere.code }}",
        "{{ nowhere() }}",
        "{{ stay.room.nothing.name }}",
        '{% from "macros" import plain %}{{ plain(1, 2, 3) }}',
        '{% from "macros" import plain %}{{ plain(1, c=3) }}',
        '{% from "macros" import plain %}{{ plain(1, a=3) }}',
        '{% from "macros" import asks %}{{ asks(1) }}',
        '{% from "macros" import nothing %}{{ nothing() }}',
    ],
)
def test_what_is_wrong_in_a_template_is_told_in_the_same_words(wrong: str) -> None:
    told = []
    for kind in (QuickEnvironment, Environment):
        with pytest.raises((UndefinedError, TypeError)) as caught:
            environment(kind).from_string(wrong).render(**facts())
        told.append((type(caught.value), str(caught.value)))
    assert told[0] == told[1]


@pytest.fixture
def app(deps: Deps) -> Flask:
    return create_app(deps.settings, deps)


def test_indentation_is_not_sent() -> None:
    page = "<p>\n    {% if true %}\n\t  <b>a  b</b>\n    {% endif %}{{ text }}\n</p>"
    shown = environment(QuickEnvironment).from_string(page).render(text="  two\n  lines")
    assert shown == "<p>\n\n<b>a  b</b>\n  two\n  lines\n</p>"


def test_nothing_that_templates_call_asks_for_the_page(app: Flask) -> None:
    assert isinstance(app.jinja_env, QuickEnvironment)
    with app.test_request_context():
        known = {**app.jinja_env.globals, **dict(_given_to_pages(app))}
        asking = {name for name, value in known.items() if callable(value) and _PassArg.from_obj(value)}
    sources = "".join(
        path.read_text(encoding="utf-8") for path in Path(str(app.root_path), "../templates").rglob("*.*")
    )
    assert [name for name in asking if f"{name}(" in sources] == []


def _given_to_pages(app: Flask) -> Iterator[tuple[str, Any]]:
    for processors in app.template_context_processors.values():
        for give in processors:
            if give.__name__ != "every_staff_page":
                yield from give().items()


def test_every_template_compiles(app: Flask) -> None:
    names = app.jinja_env.list_templates()
    assert len(names) > 100
    for name in names:
        app.jinja_env.get_template(name)
    assert Path(str(app.jinja_env.get_template("guest/review.html").filename)).name == "review.html"
