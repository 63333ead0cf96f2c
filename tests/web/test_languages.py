"""A language is a folder with translations: a guest who booked in it reads it, others do not notice."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from portal.deps import Deps
from portal.models import Hotel, Reservation
from portal.web import languages
from tests.actors import Guest, LivePortal
from tests.staff.desk import Desk


@pytest.fixture
def portuguese(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Must come before the portal is made: the folder is read when it starts."""
    catalog = Catalog(locale="pt_PT")
    catalog.add("Price", "Preço")
    catalog.add("Awaiting payment", "A aguardar pagamento")
    compiled = BytesIO()
    write_mo(compiled, catalog)
    folder = tmp_path / "translations" / "pt_PT" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "messages.mo").write_bytes(compiled.getvalue())
    monkeypatch.setattr(languages, "TRANSLATIONS", tmp_path / "translations")


@pytest.mark.usefixtures("portuguese")
def test_a_guest_reads_the_language_of_the_booking(guest: Guest, make_reservation: Callable[..., Reservation]) -> None:
    page = guest.opens_link(make_reservation(locale="pt-PT"))
    assert page.root.get("lang") == "pt-PT"
    assert "Preço" in page.text
    assert "1.125,00\xa0€" in page.html or "1125,00\xa0€" in page.html or "1\xa0125,00\xa0€" in page.html


@pytest.mark.usefixtures("portuguese")
def test_what_was_made_in_one_language_is_made_anew_in_another(
    portal: LivePortal, deps: Deps, make_reservation: Callable[..., Reservation]
) -> None:
    reception = Desk(portal.url, deps, "reception")
    make_reservation()
    for locale, words in (("en-GB", "Awaiting payment"), ("pt-PT", "A aguardar pagamento")) * 2:
        Hotel.update(locale=locale).execute()
        lines = reception.goes_to("/staff/reservations").root.findall(".//tbody/tr")
        assert [words in "".join(line.itertext()) for line in lines] == [True]


def test_a_language_without_translations_falls_back_to_the_hotels(
    guest: Guest, make_reservation: Callable[..., Reservation]
) -> None:
    for number, locale in enumerate(("xx_YY", "pt_PT", "../../etc", "de-DE-1996-u-co-phonebk")):
        page = guest.opens_link(make_reservation(locale=locale, in_days=10 + 5 * number))
        assert page.root.get("lang") == "en-GB"
        assert "€1,125.00" in page.text
