"""What holds for every page: everyone can read and use it, on any screen, enlarged, in the dark and on paper."""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

PICTURES = Path(__file__).parents[2] / "test-results" / "pages"
PHONE, SMALLEST, DESK = (375, 800), (320, 700), (1280, 900)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOUR_RULES = ["color-contrast", "link-in-text-block"]

RUN_AXE = """async (rules) => {
  const options = {runOnly: rules, preload: false, resultTypes: ['violations']};
  return (await axe.run(document, options)).violations;
}"""

# Words, fields and pictures that stick out of the window or are cut off at the edge of their box.
STICKS_OUT = """() => {
  const found = [], root = document.documentElement, width = root.clientWidth;
  if (root.scrollWidth > width) found.push(`the page is ${root.scrollWidth} wide in ${width}`);
  const name = (e) => `<${e.tagName.toLowerCase()} class="${e.className}"> ${e.textContent.trim().slice(0, 40)}`;
  for (const e of document.querySelectorAll('body *')) {
    if (e.closest('svg, .vh, .skip, .tablebox, .chartbox, .tabs, .side ul') || !e.checkVisibility()) continue; // these scroll
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    if (box.width && (box.right > width + 1 || box.left < -1)) found.push(`outside: ${name(e)}`);
    const clips = style.overflowX !== 'visible' || style.overflowY !== 'visible';
    const tooMuch = e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1;
    if (clips && tooMuch && e.textContent.trim()) found.push(`cut off: ${name(e)}`);
  }
  return found;
}"""

# Buttons and fields have to be 44 px high, everything else that can be pressed 24, but for links within a sentence.
TOO_SMALL = """() => {
  const found = [];
  for (const e of document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')) {
    if (!e.checkVisibility() || e.matches('.skip')) continue;
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    const inSentence = e.tagName === 'A' && style.display === 'inline';
    const big = e.matches('button:not(.btn-link), .btn, input:not([type=radio], [type=checkbox]), select, textarea'); // of a radio its label is the target
    if (inSentence) continue;
    if (box.height >= (big ? 44 : 24) && box.width >= 24) continue;
    found.push(`${e.outerHTML.slice(0, 90)}: ${box.width} x ${box.height}`);
  }
  return found;
}"""

# A style sheet that the page's own policy does not have to allow.
ADD_STYLE = """(css) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  document.adoptedStyleSheets = [sheet];
}"""
SPACED_TEXT = """* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }
p { margin-block-end: 2em !important; }"""
TEXT_TWICE_AS_BIG = "html { font-size: 200% !important; }"

ON_PAPER = """() => {
  const found = [], {backgroundColor: ground, color: ink} = getComputedStyle(document.body);
  if (ground !== 'rgb(255, 255, 255)') found.push(`the ground is ${ground}`);
  if (ink !== 'rgb(0, 0, 0)') found.push(`the ink is ${ink}`);
  for (const e of document.querySelectorAll('button, .btn, .skip, nav')) {
    if (e.checkVisibility()) found.push(`prints ${e.outerHTML.slice(0, 80)}`);
  }
  return found;
}"""


def check_here(page: Page) -> list[str]:
    """The part of `check` that needs no other size and no other colours."""
    return _axe(page, {"type": "tag", "values": RULES}) + page.evaluate(STICKS_OUT) + page.evaluate(TOO_SMALL)


def check(page: Page, name: str, *, ours: bool) -> list[str]:
    """Everything that is wrong with the page that is open now; pictures of it are kept. Leaves it as it was."""
    found = [f"light: {problem}" for problem in _axe(page, {"type": "tag", "values": RULES})]
    page.emulate_media(color_scheme="dark")  # which changes colours and nothing else
    found += [f"dark: {problem}" for problem in _axe(page, {"type": "rule", "values": COLOUR_RULES})]
    page.emulate_media(color_scheme="light")
    found += [f"at 375: {problem}" for problem in page.evaluate(STICKS_OUT) + page.evaluate(TOO_SMALL)]
    with _style(page, SPACED_TEXT):
        found += [f"spaced text: {problem}" for problem in page.evaluate(STICKS_OUT)]
    keep_picture(page, f"{name}-375")
    if ours:
        page.emulate_media(media="print", color_scheme="dark")
        found += [f"on paper: {problem}" for problem in page.evaluate(ON_PAPER)]
        page.emulate_media(media="screen", color_scheme="light")
    with _window(page, SMALLEST):
        found += [f"at 320: {problem}" for problem in page.evaluate(STICKS_OUT)]
        with _style(page, TEXT_TWICE_AS_BIG):
            found += [f"text at 200 %: {problem}" for problem in page.evaluate(STICKS_OUT)]
    with _window(page, DESK):
        found += [f"at 1280: {problem}" for problem in page.evaluate(STICKS_OUT) + page.evaluate(TOO_SMALL)]
        keep_picture(page, f"{name}-1280")
    return [f"{name}, {problem}" for problem in found]


def _axe(page: Page, rules: dict[str, Any]) -> list[str]:
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(_axe_source())
    broken = page.evaluate(RUN_AXE, rules)
    return [f"{rule['id']}: {rule['help']}: {node['html'][:100]}" for rule in broken for node in rule["nodes"]]


@cache
def _axe_source() -> str:
    spec = importlib.util.find_spec("axe_playwright_python")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).with_name("axe.min.js").read_text(encoding="utf-8")


def keep_picture(page: Page, name: str) -> None:
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


@contextmanager
def _window(page: Page, size: tuple[int, int]) -> Iterator[None]:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    yield
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})


@contextmanager
def _style(page: Page, css: str) -> Iterator[None]:
    page.evaluate(ADD_STYLE, css)
    yield
    page.evaluate(ADD_STYLE, "")
