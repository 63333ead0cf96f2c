"""A page of any size that knows nothing: rows of words and sums from a list, escaped by Jinja as a page's are. No
database, no session, no sign-in, no log."""

from functools import cache

from flask import Flask, render_template

app = Flask(__name__)


@app.get("/<int:size>")
def page(size: int) -> str:
    return _rendered(rows_for(size))


def _rendered(rows: list[dict[str, str]]) -> str:
    return render_template("page.html", title="A stay", rows=rows)


@cache
def rows_for(size: int) -> list[dict[str, str]]:
    """As many as make a page of that many bytes, or a row more."""
    count = 0
    with app.app_context():
        while len(_rendered(_rows(count)).encode()) < size:
            count += 1
    return _rows(count)


def _rows(count: int) -> list[dict[str, str]]:
    return [
        {"label": f"Night {n} & breakfast", "sum": f"€{n}.00", "day": f"{n % 28 + 1} Dec 2026"} for n in range(count)
    ]
