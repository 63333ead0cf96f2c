"""Reading a page as a careful person would: every page that any test visits is checked."""

import re
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

import html5lib

LABELLED = ("input", "select", "textarea")


@dataclass
class Page:
    """One answer: its status, its text, and the parsed document."""

    status: int
    url: str
    html: str
    root: ElementTree.Element = field(repr=False)

    @property
    def text(self) -> str:
        """What a person reads in <main>, white space folded."""
        return " ".join(" ".join(self.main.itertext()).split())

    @property
    def main(self) -> ElementTree.Element:
        found = self.root.find(".//main")
        assert found is not None, f"{self.url} has no <main>"
        return found

    @property
    def title(self) -> str:
        return " ".join((self.root.findtext(".//h1") or "").split())

    @property
    def reservation_status(self) -> str:
        return self.main.get("data-reservation-status", "")

    @property
    def payment_status(self) -> str:
        return self.main.get("data-payment-status", "")

    @property
    def amount_due(self) -> int:
        return int(self.main.get("data-amount-due", "-1"))

    def forms(self, action_ends: str = "") -> list[ElementTree.Element]:
        return [form for form in self.root.iter("form") if form.get("action", "").endswith(action_ends)]

    def fields(self, form: ElementTree.Element) -> dict[str, str]:
        return {i.get("name", ""): i.get("value", "") for i in form.iter("input") if i.get("name")}

    def link(self, words: str) -> str:
        for a in self.root.iter("a"):
            if words in " ".join(a.itertext()):
                return str(a.get("href"))
        raise AssertionError(f"no link {words!r} on {self.url}")


def read_page(status: int, url: str, html: str) -> Page:
    """Parse and check; AssertionError names what is wrong with the page."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False, tree=html5lib.getTreeBuilder("etree"))
    page = Page(status, url, html, parser.parse(html))
    root: Any = page.root
    assert root.get("lang"), f"{url} names no language"
    assert (root.findtext(".//title") or "").strip(), f"{url} has no title"
    assert len(list(root.iter("h1"))) == 1, f"{url} needs exactly one h1"
    assert not [s for s in root.iter("script") if s.text or not s.get("src")], f"{url} has an inline script"
    assert not list(root.iter("style")), f"{url} has an inline style sheet"
    assert not [e for e in root.iter() if e.get("style") or any(n.startswith("on") for n in e.attrib)], (
        f"{url}: inline style or handler"
    )
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids)), f"{url} has an id twice"
    for control in (e for name in LABELLED for e in root.iter(name) if e.get("type") not in ("hidden", "submit")):
        assert root.find(f".//label[@for='{control.get('id')}']") is not None, f"{url}: {control.attrib} has no label"
    for form in root.iter("form"):
        if form.get("method") == "post":
            assert "csrf_token" in page.fields(form), f"{url}: a form without a CSRF token"
    _no_foreign_origin(page)
    assert not re.search(r"(?<![\d.,€])\d+[.,]\d{2}(?!\d)(?!\s*[€%])", page.text), (
        f"{url}: an amount without a currency in {page.text}"
    )
    told = re.sub(r'name="csrf_token" value="[^"]*"', "", html).replace(
        "/c/pay/", ""
    )  # random letters may spell anything
    secret = "sk|rk|whsec" if "/staff/" in url else "sk|rk|whsec|cs|pi|ch|re"  # staff look objects up at Stripe
    assert not re.search(rf"\b({secret})_(test|live)?_?[A-Za-z0-9]{{6,}}", told), (
        f"{url} shows a secret or an id of Stripe"
    )
    return page


def _no_foreign_origin(page: Page) -> None:
    for element in page.root.iter():
        for name in ("src", "srcset", "action", "data"):
            address = element.get(name, "")
            assert not re.match(r"(https?:)?//", address), f"{page.url}: <{element.tag} {name}={address}>"
        if element.tag == "link":
            assert not re.match(r"(https?:)?//", element.get("href", "")), f"{page.url}: {element.attrib}"
