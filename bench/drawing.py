"""Small drawings as SVG: the same figures make the same bytes, and they can be read on light and on dark pages."""

import math
from collections.abc import Sequence
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, TOP, STEP = 860, 400, 30, 76, 28
COLOURS = (("#8a6d1f", "#d9b44a"), ("#1f6f5c", "#5fc7ac"), ("#8c3b2e", "#e58a7b"))
"""Of each series: on a light page, on a dark one."""

_STYLE = """text{font:13px system-ui,sans-serif;fill:#24292f}
.t{font-weight:600;font-size:15px}.a{font-size:11px;fill:#57606a}
line{stroke:#d0d7de}.p{stroke:#8c959f;stroke-width:2}
"""
_DARK = "text{fill:#e6edf3}.a{fill:#9198a1}line{stroke:#3d444d}.p{stroke:#656c76}"


def dots(title: str, series: Sequence[str], rows: Sequence[tuple[str, Sequence[float]]]) -> str:
    """A row for each thing with a dot for each series, on a logarithmic scale of milliseconds: dots that lie on each
    other are a thing that does not grow."""
    values = [value for _, row in rows for value in row]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    height = TOP + STEP * len(rows) + 34

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(value) - low) / max(1, high - low)

    parts = [_head(title, height, len(series)), f'<text class="t" x="16" y="26">{escape(title)}</text>']
    at = 16
    for number, name in enumerate(series):
        parts.append(f'<circle class="s{number}" cx="{at + 6}" cy="46" r="6"/>')
        parts.append(f'<text x="{at + 18}" y="51">{escape(name)}</text>')
        at += 40 + 8 * len(name)
    for power in range(low, high + 1):
        place, label = x(10**power), f"{10**power:,.{max(0, -power)}f} ms"
        parts.append(f'<line x1="{place:.1f}" y1="{TOP - 12}" x2="{place:.1f}" y2="{height - 28}"/>')
        parts.append(f'<text class="a" text-anchor="middle" x="{place:.1f}" y="{height - 10}">{label}</text>')
    for number, (name, row) in enumerate(rows):
        y = TOP + STEP * number + 6
        parts.append(f'<text x="16" y="{y + 4}">{escape(name)}</text>')
        parts.append(f'<line class="p" x1="{x(min(row)):.1f}" y1="{y}" x2="{x(max(row)):.1f}" y2="{y}"/>')
        for which, value in enumerate(row):
            radius = 8 - 2.5 * which  # the later ones lie upon the earlier
            parts.append(f'<circle class="s{which}" cx="{x(value):.1f}" cy="{y}" r="{radius}"/>')
    return "\n".join([*parts, "</svg>", ""])


def _head(title: str, height: int, series: int) -> str:
    light = "".join(f".s{n}{{fill:{COLOURS[n % 3][0]}}}" for n in range(series))
    dark = "".join(f".s{n}{{fill:{COLOURS[n % 3][1]}}}" for n in range(series))
    style = f"<style>{_STYLE}{light}\n@media (prefers-color-scheme:dark){{{_DARK}{dark}}}</style>"
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(title)}">\n{style}'
