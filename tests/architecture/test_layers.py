"""Imports run one way, and the doors that guard the money are the only ones."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

ROOT = Path(__file__).parents[2]
PORTAL = ROOT / "portal"

MAY_IMPORT = {
    "domain": {"domain"},
    "models": {"models", "domain", "db"},
    "gateways": {"gateways", "domain", "db", "settings", "metrics", "turns"},
    "services": {
        "services",
        "models",
        "gateways",
        "domain",
        "db",
        "deps",
        "errors",
        "logs",
        "settings",
        "metrics",
        "migrations",
        "prepared",
        "turns",
    },
    "web": {
        "web",
        "services",
        "models",
        "gateways",
        "domain",
        "db",
        "deps",
        "errors",
        "logs",
        "settings",
        "migrations",
        "metrics",
        "turns",
    },
    "api": {"api", "web", "services", "models", "domain", "deps", "errors", "logs"},
}
"""Layer → what of the portal it may import. `migrations` is read for /readyz alone."""

ADAPTERS = {
    "web": set[str](),
    "api": {"web"},
    "mail_texts.py": {"web"},
    "jobs.py": {"mail_texts"},
    "cli_money.py": set[str](),
    "cli_operations.py": set[str](),
    "cli_reservations.py": set[str](),
    "cli_staff.py": set[str](),
    "cli.py": {"cli_money", "cli_operations", "cli_reservations", "cli_staff", "demo", "jobs"},
    "demo.py": {"demo_stays"},
    "demo_stays.py": set[str](),
}
"""Doors into the services, and which of the others each may know. Commands are wired in `cli`, so it knows those that it
runs; the worker's mails have the words of the templates, which `mail_texts` borrows from the pages' helpers."""


def python_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it; `from portal import x` counts as portal.x."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module == "portal":
                yield from (f"portal.{alias.name}" for alias in node.names)


def calls(path: Path) -> Iterator[ast.Call]:
    yield from (n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call))


def name_of(call: ast.Call) -> str:
    return ast.unparse(call.func)


@pytest.mark.parametrize("layer", MAY_IMPORT)
def test_a_layer_imports_only_what_lies_below_it(layer: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in python_files(PORTAL / layer)
        for module in imports(path)
        if module.startswith("portal.") and module.split(".")[1] not in MAY_IMPORT[layer] and module != "portal.web"
    ]
    assert wrong == []


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_door_does_not_go_through_another_door(adapter: str) -> None:
    doors = {name.removesuffix(".py") for name in ADAPTERS}
    path = PORTAL / adapter
    known = {
        module.split(".")[1]
        for p in (python_files(path) if path.is_dir() else [path])
        for module in imports(p)
        if module.startswith("portal.")
    }
    assert known & doors - {adapter.removesuffix(".py")} <= ADAPTERS[adapter]


def test_every_file_at_the_top_has_its_place() -> None:
    parts = {"__init__.py", "__main__.py", "db.py", "deps.py", "errors.py", "logs.py", "settings.py"}
    parts |= {"metrics.py", "prepared.py", "redaction.py", "turns.py", "writer_queue.py"}
    assert {path.name for path in PORTAL.glob("*.py")} <= parts | set(ADAPTERS)


def test_the_api_borrows_only_what_is_no_page() -> None:
    taken = {module for path in python_files(PORTAL / "api") for module in imports(path) if ".web" in module}
    assert taken <= {"portal.web", "portal.web.context", "portal.web.programs", "portal.web.security_log"}


def test_mails_borrow_only_the_helpers_of_the_pages() -> None:
    taken = {module for module in imports(PORTAL / "mail_texts.py") if module.startswith("portal.web.")}
    assert taken <= {"portal.web.languages", "portal.web.template_helpers"}


@pytest.mark.parametrize(
    ("file", "allowed"),
    [
        ("db.py", {"prepared", "turns", "writer_queue"}),
        ("turns.py", set[str]()),
        ("writer_queue.py", set[str]()),
        ("errors.py", set[str]()),
        ("logs.py", {"redaction"}),
        ("redaction.py", set[str]()),
        ("metrics.py", set[str]()),
        ("settings.py", {"gateways"}),
        ("gateways/secrets_gateway.py", set[str]()),
        ("deps.py", {"gateways", "settings"}),
    ],
)
def test_the_parts_that_all_share_know_hardly_anything(file: str, allowed: set[str]) -> None:
    assert {m.split(".")[1] for m in imports(PORTAL / file) if m.startswith("portal.")} <= allowed


def test_luck_comes_from_one_place() -> None:
    """Names that others see are made in `public_ids`; requests and workers name themselves, the demo makes its secrets.
    Secrets of staff (passwords, codes, tokens) are made in `passwords`, those of sign-ins in `staff_sessions`."""
    lucky = {"secrets", "random", "uuid"}
    found = {str(p.relative_to(PORTAL)) for p in python_files(PORTAL) if lucky & {m.split(".")[0] for m in imports(p)}}
    names = {"services/public_ids.py", "web/request_log.py", "jobs.py", "demo.py"}
    assert found <= names | {"services/passwords.py", "services/staff_sessions.py"}


def test_the_rules_need_nothing_but_the_language_itself() -> None:
    outside = {
        f"{path.relative_to(ROOT)} imports {module}"
        for path in python_files(PORTAL / "domain")
        for module in imports(path)
        if module.split(".")[0] not in {"portal", *sys.stdlib_module_names}
    }
    assert outside == set()


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("stripe", {"portal/gateways/stripe_gateway.py"}),
        ("smtplib", {"portal/gateways/mail_gateway.py"}),
        ("boto3", {"portal/gateways/secrets_gateway.py"}),
        ("botocore", {"portal/gateways/secrets_gateway.py"}),
    ],
)
def test_a_party_outside_is_known_to_one_file(library: str, allowed: set[str]) -> None:
    found = {str(p.relative_to(ROOT)) for p in python_files(PORTAL) if library in {m.split(".")[0] for m in imports(p)}}
    assert found <= allowed


def test_services_know_neither_the_web_nor_stripe() -> None:
    forbidden = {"flask", "flask_wtf", "flask_babel", "werkzeug", "stripe"}
    wrong = {
        f"{path.relative_to(ROOT)} imports {module}"
        for path in python_files(PORTAL / "services")
        for module in imports(path)
        if module.split(".")[0] in forbidden
    }
    assert wrong == set()


def test_the_simulator_and_the_portal_do_not_know_each_other() -> None:
    assert not [
        p for p in python_files(ROOT / "stripe_simulator") if any(m.split(".")[0] == "portal" for m in imports(p))
    ]
    assert not [p for p in python_files(PORTAL) if any(m.split(".")[0] == "stripe_simulator" for m in imports(p))]


def test_only_the_settings_read_the_environment() -> None:
    """The demo hands its own environment on to the processes that it starts, gunicorn's settings are gunicorn's, and the
    library of figures reads its own."""
    files = [*python_files(PORTAL), *ROOT.glob("*.py")]
    reads = re.compile(r"\benviron\b(?!ment)|getenv")
    found = {
        str(p.relative_to(ROOT))
        for p in files
        if any(
            reads.search(ast.unparse(n))
            for n in ast.walk(ast.parse(p.read_text(encoding="utf-8")))
            if isinstance(n, ast.Attribute)
        )
    }
    found -= {p for p in found if "os" not in set(imports(ROOT / p))}  # a parameter called environ is no environment
    assert found <= {"portal/settings.py", "portal/demo.py", "portal/metrics.py", "gunicorn.conf.py"}


def test_nothing_reads_a_clock_but_what_is_passed_in() -> None:
    """`time.monotonic` measures how long Stripe takes; it decides nothing about dates."""
    clocks = {"datetime.now", "datetime.utcnow", "date.today", "datetime.today", "time.time", "datetime.datetime.now"}
    found = {str(p.relative_to(ROOT)) for p in python_files(PORTAL) for call in calls(p) if name_of(call) in clocks}
    assert found <= {"portal/deps.py"}
    sql = [p for p in python_files(PORTAL) if re.search(r"CURRENT_TIMESTAMP|CURRENT_DATE|fn\.now", p.read_text(), re.I)]
    assert sql == []


def moves_to_confirmed(path: Path) -> bool:
    return any(
        name_of(call).endswith("move")
        and any(isinstance(a, ast.Constant) and a.value == "confirmed" for a in call.args)
        for call in calls(path)
    )


def test_a_stay_is_confirmed_by_settling_or_by_staff_alone() -> None:
    """Staff write down cash or a transfer that they have seen in `offline_payments`."""
    found = {str(path.relative_to(ROOT)) for path in python_files(PORTAL) if moves_to_confirmed(path)}
    assert found <= {"portal/services/settlement.py", "portal/services/offline_payments.py"}
    assert "portal/services/settlement.py" in found


def test_states_change_through_one_door() -> None:
    """No update of a status column and no assignment to it, but in state.py; disputes have Stripe's own words, and
    answers of the API those of HTTP."""
    door = {"portal/services/state.py", "portal/services/disputes.py", "portal/services/idempotency.py"}
    for path in python_files(PORTAL):
        if str(path.relative_to(ROOT)) in door:
            continue
        for call in calls(path):
            named = {k.arg for k in call.keywords} | {
                key.value
                for a in call.args
                if isinstance(a, ast.Dict)
                for key in a.keys
                if isinstance(key, ast.Constant)
            }
            updates = name_of(call).split(".")[-1] in ("update", "set_by_id", "bulk_update") and "status" in named
            assert not updates, f"{path.relative_to(ROOT)}:{call.lineno} changes a status past the door"
        assigned = re.findall(r"^\s*\w+\.status = ", path.read_text(encoding="utf-8"), re.M)
        assert not [a for a in assigned if "shown" not in a and "response" not in a], f"{path}: {assigned}"


def test_transactions_begin_in_services_alone() -> None:
    users = {
        str(path.relative_to(PORTAL)).split("/")[0]
        for path in python_files(PORTAL)
        if any(name_of(call) in ("transaction", "db.transaction") for call in calls(path))
    }
    assert users == {"services"}


def templates() -> list[Path]:
    """Of pages; a mail program knows no style sheet of ours."""
    return sorted(path for path in (ROOT / "templates").rglob("*.html") if path.parent.name != "mail")


@pytest.mark.parametrize("path", templates(), ids=lambda p: str(p.relative_to(ROOT / "templates")))
def test_a_template_brings_no_code_and_no_foreign_origin(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "|safe" not in text.replace(" ", "")
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"(?:src|href|action)=[\"']?(?:https?:)?//", text)


@pytest.mark.parametrize("path", sorted((ROOT / "templates").rglob("*.*")), ids=lambda p: str(p.relative_to(ROOT)))
def test_no_filter_stands_on_a_value_that_is_always_the_same(path: Path) -> None:
    """It would be worked out when the template is compiled, in the language of whoever opens the page first."""
    parsed = Environment().parse(path.read_text(encoding="utf-8"))
    assert [found.name for found in parsed.find_all(nodes.Filter) if isinstance(found.node, nodes.Const)] == []
