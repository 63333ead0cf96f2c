"""What a guest is told about a declined card: plain words, and nothing that tips off a thief."""

from dataclasses import dataclass

from flask_babel import LazyString, lazy_gettext


@dataclass(frozen=True)
class DeclineWords:
    """A heading, why the payment did not go through, and what to do next."""

    title: str
    reason: str
    next_step: str


_DECLINED = lazy_gettext("Your bank declined the payment")


@dataclass(frozen=True)
class _Row:
    reason: LazyString
    next_step: LazyString
    title: LazyString = _DECLINED
    reason_with_card: LazyString | None = None
    """Says more, when the card's last digits and the sum are known."""


_OTHER_CARD = lazy_gettext("Use a different card.")

_NOT_ENOUGH_MONEY = _Row(
    lazy_gettext("There was not enough money available on the card."),
    lazy_gettext("Move money to that account, or pay with a different card."),
    reason_with_card=lazy_gettext("There was not enough money available on the card ending %(last4)s for %(amount)s."),
)
_EXPIRED = _Row(
    lazy_gettext("The card has expired."),
    _OTHER_CARD,
    reason_with_card=lazy_gettext("The card ending %(last4)s has expired."),
)
_WRONG_SECURITY_CODE = _Row(
    lazy_gettext("The security code did not match the card."),
    lazy_gettext("Check the 3 digits on the back (4 on the front for American Express) and try again."),
)
_WRONG_NUMBER = _Row(
    lazy_gettext("The card number was not right."), lazy_gettext("Enter it again, or use a different card.")
)
_WRONG_EXPIRY = _Row(
    lazy_gettext("The expiry date was not right."), lazy_gettext("Check the date on the card and try again.")
)
_WRONG_ADDRESS = _Row(
    lazy_gettext("The billing address did not match the one your bank has."),
    lazy_gettext("Use the address on your bank statement."),
)
_NOT_AUTHENTICATED = _Row(
    lazy_gettext("Your bank could not confirm that it was you."),
    lazy_gettext("Try again and approve it in your bank’s app or by text message."),
)
_OVER_LIMIT = _Row(
    lazy_gettext("The card has reached its limit for now."),
    lazy_gettext("Use a different card, or ask your bank about the limit."),
)
_NOT_FOR_THIS = _Row(
    lazy_gettext("This card cannot be used for this kind of payment."),
    lazy_gettext("Use a different card, or ask your bank to allow online payments abroad."),
)
_NOT_THIS_CURRENCY = _Row(lazy_gettext("This card cannot pay in our currency."), _OTHER_CARD)
_BANK_OUT_OF_REACH = _Row(
    lazy_gettext("Your bank could not be reached."),
    lazy_gettext("Wait a minute and try again. It is not your card’s fault."),
    title=lazy_gettext("The payment could not go through"),
)
_SEEN_TWICE = _Row(
    lazy_gettext("Your bank saw the same payment twice."), lazy_gettext("Look at Payments before you try again.")
)
_NEEDS_PIN = _Row(lazy_gettext("This card needs a PIN, which cannot be used online."), _OTHER_CARD)

_NO_REASON_GIVEN = _Row(
    lazy_gettext("Your bank did not tell us why."),
    lazy_gettext("Use a different card, or call the number on the back of your card."),
)
"""For every other code, above all for lost, stolen and suspected cards, and for codes that are new to us."""

_ROWS = {
    "insufficient_funds": _NOT_ENOUGH_MONEY,
    "expired_card": _EXPIRED,
    "incorrect_cvc": _WRONG_SECURITY_CODE,
    "invalid_cvc": _WRONG_SECURITY_CODE,
    "incorrect_number": _WRONG_NUMBER,
    "invalid_number": _WRONG_NUMBER,
    "invalid_expiry_month": _WRONG_EXPIRY,
    "invalid_expiry_year": _WRONG_EXPIRY,
    "incorrect_zip": _WRONG_ADDRESS,
    "incorrect_address": _WRONG_ADDRESS,
    "authentication_required": _NOT_AUTHENTICATED,
    "payment_intent_authentication_failure": _NOT_AUTHENTICATED,
    "card_velocity_exceeded": _OVER_LIMIT,
    "withdrawal_count_limit_exceeded": _OVER_LIMIT,
    "card_not_supported": _NOT_FOR_THIS,
    "transaction_not_allowed": _NOT_FOR_THIS,
    "service_not_allowed": _NOT_FOR_THIS,
    "not_permitted": _NOT_FOR_THIS,
    "currency_not_supported": _NOT_THIS_CURRENCY,
    "processing_error": _BANK_OUT_OF_REACH,
    "issuer_not_available": _BANK_OUT_OF_REACH,
    "try_again_later": _BANK_OUT_OF_REACH,
    "reenter_transaction": _BANK_OUT_OF_REACH,
    "duplicate_transaction": _SEEN_TWICE,
    "pin_try_exceeded": _NEEDS_PIN,
    "offline_pin_required": _NEEDS_PIN,
    "online_or_offline_pin_required": _NEEDS_PIN,
}
"""By Stripe's decline codes (docs.stripe.com/declines/codes)."""


def words_for(code: str | None, last4: str | None = None, amount: str | None = None) -> DeclineWords:
    """The words for a decline code, in the reader's language; `amount` as the guest reads it ("€657.00")."""
    row = _ROWS.get(code or "", _NO_REASON_GIVEN)
    reason = str(row.reason)
    if row.reason_with_card and last4 and amount:
        reason = str(row.reason_with_card) % {"last4": last4, "amount": amount}
    return DeclineWords(str(row.title), reason, str(row.next_step))
