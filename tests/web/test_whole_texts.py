"""Texts that became part of a template read as those that are looked up for each page."""

from pathlib import Path

import pytest
from flask import Flask, render_template_string
from jinja2 import nodes

from portal.web import languages
from portal.web.quick_templates import QuickEnvironment
from portal.web.whole_texts import WholeTexts

TEMPLATE = """{% set name = "A & B" %}<p title="{{ _("Price") }}">{{- _("100%% of it") }}</p> {{ _("x & <i>y</i>") ~ "!" }}
{{ _("For %(name)s", name=name) }} {{ name }} {{ "_" }} {{ _ }} {% macro said(a, b) %}{{ a }}: {{ b }}{% endmacro -%}
{% if _("y") %}{{ said(_("It's & <b>z</b>") if name else _("w"), _("z & <b>It's</b>") | capitalize) -}} {% endif %}; {{ _("don't") ~ "<" }}"""


class House(Flask):
    jinja_environment = QuickEnvironment


@pytest.fixture
def app() -> House:
    return House("one", template_folder=str(Path(languages.__file__).parents[2] / "templates"))


@pytest.mark.usefixtures("database")
def test_the_page_is_the_same(app: House) -> None:
    languages.register(app)
    pages = []
    with app.test_request_context():
        languages.set_language("en_GB")
        for last_pass in (app.jinja_env.last_pass, None):
            app.jinja_env.last_pass = last_pass
            pages.append(render_template_string(TEMPLATE.replace("{{ _ }}", "")))
    assert pages[0] == pages[1]
    assert pages[0].startswith("""<p title="Price">100% of it</p> x & <i>y</i>!\nFor A &amp; B A &amp; B _""")
    assert pages[0].endswith("It's & <b>z</b>: Z & <b>it's</b>; don't&lt;")


def test_only_whole_texts_become_part_of_the_template(app: House) -> None:
    app.jinja_env.last_pass = WholeTexts()
    parsed = app.jinja_env.parse(TEMPLATE)
    looked_up = [
        call.args[0].as_const() for call in parsed.find_all(nodes.Call) if isinstance(call.args[0], nodes.Const)
    ]
    assert looked_up == ["x & <i>y</i>", "For %(name)s", "don't"]
