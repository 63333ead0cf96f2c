"""The hotel's name, address, clock and language."""

from zoneinfo import available_timezones

from babel import Locale
from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response
from wtforms import EmailField, SelectField, StringField, TelField, TimeField
from wtforms.validators import DataRequired, Length

from portal.domain import money
from portal.domain.hotel_time import zone_city
from portal.models import Hotel
from portal.services import hotels
from portal.services.hotels import BadHotel
from portal.services.new_reservation import LONGEST_TEXT
from portal.web import languages
from portal.web.context import get_hotel
from portal.web.staff import access
from portal.web.staff.blueprint import staff
from portal.web.staff.settings import Page, SettingsForm, by, say_saved

_SHORT = Length(max=LONGEST_TEXT)
_AREAS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
_LOCALES = ("en_GB", "en_IE", "en_US", "en_AU")


class HotelForm(SettingsForm):
    name = StringField(lazy_gettext("Name"), [DataRequired(lazy_gettext("The hotel needs a name.")), _SHORT])
    tagline = StringField(lazy_gettext("Line below the name"), [_SHORT])
    legal_name = StringField(
        lazy_gettext("Legal name"), [_SHORT], description=lazy_gettext("On receipts, where it differs from the name.")
    )
    vat_number = StringField(lazy_gettext("VAT number"), [_SHORT])
    address = StringField(lazy_gettext("Address"), [_SHORT])
    city = StringField(
        lazy_gettext("City"), [_SHORT], description=lazy_gettext("As in “Three nights in Lisbon”, for guests.")
    )
    phone = TelField(
        lazy_gettext("Phone"), [_SHORT], description=lazy_gettext("With the country, such as +351 21 000 0140.")
    )
    phone_hours = StringField(
        lazy_gettext("When somebody answers the phone"), [_SHORT], description=lazy_gettext("Such as 8:00 to 22:00.")
    )
    email = EmailField(lazy_gettext("E-mail for guests"), [_SHORT])
    timezone = SelectField(
        lazy_gettext("Time zone"),
        description=lazy_gettext(
            "Nights, check-in and the last days for a refund are dates by this clock. A new zone moves those "
            "midnights for reservations that there are, too."
        ),
    )
    check_in_from = TimeField(lazy_gettext("Check-in from"))
    check_out_until = TimeField(lazy_gettext("Check-out until"))
    locale = SelectField(
        lazy_gettext("Language"),
        description=lazy_gettext("Of pages and mails for guests whose own language there is no translation for."),
    )
    currency = SelectField(
        lazy_gettext("Currency"), description=lazy_gettext("Can change only while there are no reservations.")
    )


@staff.get("/settings/hotel")
@access.needs(access.MANAGER)
def settings_hotel() -> str:
    return _page(_form(get_hotel()))


@staff.post("/settings/hotel")
@access.needs(access.MANAGER)
def settings_save_hotel() -> Response | Page:
    hotel = get_hotel()
    form = _form(hotel)
    if not form.validate():
        return _page(form), 400
    values = {name: form[name].data for name in hotels.EDITABLE if name in form}
    try:
        changed = hotels.set_hotel(by(), **values)
    except BadHotel as bad:
        form.show_problems(bad)
        return _page(form), 400
    say_saved(changed)
    if "timezone" in changed:
        flash(
            _(
                "The last days for a refund, and nights, now end at midnight by the clock of %(city)s, for "
                "reservations that there are, too. Holds end at the same instant as before.",
                city=zone_city(values["timezone"]),
            ),
            "warn",
        )
    return redirect(url_for("staff.settings_hotel"), 303)


def _form(hotel: Hotel) -> HotelForm:
    form = HotelForm(obj=hotel)
    zones = {zone for zone in available_timezones() if zone.split("/")[0] in _AREAS} | {"UTC", hotel.timezone}
    form.timezone.choices = [(zone, zone.replace("_", " ")) for zone in sorted(zones)]
    form.locale.choices = [(name, _language(name)) for name in _languages(hotel)]
    if hotels.has_reservations():
        del form.currency
    else:
        form.currency.choices = [(code, code) for code in money.CURRENCY_EXPONENTS]
    return form


def _languages(hotel: Hotel) -> list[str]:
    translated = (path.parent.name for path in languages.TRANSLATIONS.glob("*/LC_MESSAGES"))
    return sorted({*_LOCALES, *translated, hotel.locale})


def _language(name: str) -> str:
    usable = languages.usable(name)
    return str(Locale.parse(usable).get_display_name("en") or name) if usable else name


def _page(form: HotelForm) -> str:
    return render_template("staff/settings/hotel.html", form=form)
