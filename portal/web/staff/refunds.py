"""Every refund: filtered, and as a file."""

from collections.abc import Callable

from flask import Response, render_template, request
from flask_babel import lazy_gettext

from portal.models import Refund
from portal.services import money_files, money_lists
from portal.web.staff import access, payments
from portal.web.staff.blueprint import staff

WORDS = {
    "waiting": ("warn", lazy_gettext("Waiting")),
    "on_its_way": ("info", lazy_gettext("On its way")),
    "at_the_bank": ("quiet", lazy_gettext("At the bank")),
    "refunded": ("quiet", lazy_gettext("Refunded")),
    "failed": ("bad", lazy_gettext("Refund failed")),
    "not_sent": ("quiet", lazy_gettext("Not sent")),
}
"""Where a refund stands: the tone of its badge, and the word in it and in the filter."""

WHY = {
    "policy": lazy_gettext("Cancellation"),
    "returned": lazy_gettext("Could not be kept"),
    "staff": lazy_gettext("By staff"),
    "external": lazy_gettext("Made at Stripe"),
}


@staff.get("/refunds")
@access.needs(access.RECEPTION)
def refunds() -> str:
    house, filters = payments.find_house(), payments.read_filters(tuple(WORDS))
    return render_template(
        "staff/refunds.html",
        listing=money_lists.read_refunds(filters, house, request.args.get("after")),
        chosen=payments.chosen(filters),
        words=WORDS,
        why=WHY,
        paid_by=payments.PAID_BY,
        word_of=word_of(),
    )


def word_of() -> Callable[[Refund], str]:
    """Where a refund stands today: a key of WORDS."""
    house = payments.find_house()
    return lambda refund: money_lists.refund_word(refund, house)


@staff.get("/refunds.csv")
@access.needs(access.RECEPTION)
def refunds_csv() -> Response:
    return payments.send_csv("refunds", tuple(WORDS), money_files.write_refunds)
