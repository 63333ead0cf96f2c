"""Texts that became part of a template read as those that are looked up for each page."""

from pathlib import Path

import pytest
from flask import Flask, render_template_string
from jinja2 import nodes

from portal.web import languages
from portal.web.whole_texts import WholeTexts

TEMPLATE = """{% set name = "A & B" %}<p title="{{ _("Price") }}">{{- _("100%% of it") }}</p> {{ _("x") ~ "!" }}
{{ _("For %(name)s", name=name) }} {{ name }} {{ "_" }} {{ _ }} {% if _("y") %}{{ _('z') -}} {% endif %}"""


@pytest.fixture
def app() -> Flask:
    return Flask("one", template_folder=str(Path(languages.__file__).parents[2] / "templates"))


@pytest.mark.usefixtures("database")
def test_the_page_is_the_same(app: Flask) -> None:
    languages.register(app)
    with app.test_request_context():
        languages.set_language("en_GB")
        whole = render_template_string(TEMPLATE.replace("{{ _ }}", ""))
        del app.jinja_env.extensions[WholeTexts.identifier]
        assert render_template_string(TEMPLATE.replace("{{ _ }}", "")) == whole
    assert whole.startswith('<p title="Price">100% of it</p> x!\nFor A &amp; B A &amp; B _')


def test_only_whole_texts_become_part_of_the_template(app: Flask) -> None:
    app.jinja_env.add_extension(WholeTexts)
    parsed = app.jinja_env.parse(TEMPLATE)
    looked_up = [
        call.args[0].as_const() for call in parsed.find_all(nodes.Call) if isinstance(call.args[0], nodes.Const)
    ]
    assert looked_up == ["x", "For %(name)s", "y"]
