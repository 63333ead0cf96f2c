"""Sums of money: integer minor units and a currency code, never a float."""

CURRENCY_EXPONENTS = {
    "EUR": 2,
    "USD": 2,
    "GBP": 2,
    "CHF": 2,
    "SEK": 2,
    "NOK": 2,
    "DKK": 2,
    "PLN": 2,
    "CZK": 2,
    "JPY": 0,
}
"""Decimals of a currency as Stripe counts its minor units (docs.stripe.com/currencies). A currency that is not
listed here is refused, so that no sum is ever a hundred times too large."""

STRIPE_MINIMUM = {
    "EUR": 50,
    "USD": 50,
    "GBP": 30,
    "CHF": 50,
    "SEK": 300,
    "NOK": 300,
    "DKK": 250,
    "PLN": 200,
    "CZK": 1500,
    "JPY": 50,
}
"""The least that Stripe charges, in minor units (docs.stripe.com/currencies#minimum-and-maximum-charge-amounts)."""

STRIPE_MAXIMUM = 99_999_999
"""Stripe takes amounts of at most eight digits (same page)."""

LONGEST_SUM = 9
"""Digits before the decimals that anybody may type."""

SIGNS = "€$£¥ \u00a0\u202f\t\r\n"
"""What may stand around a sum that is typed or pasted."""


def exponent(currency: str) -> int:
    """How many decimals to show. Money in a currency that is not listed can only have come by mistake and goes back;
    two decimals are what most have."""
    return CURRENCY_EXPONENTS.get(currency, 2)


def may_be_charged(amount: int, currency: str) -> bool:
    """Whether a sum in minor units can be a reservation's total or be left to pay: nothing, or what Stripe takes."""
    return amount == 0 or STRIPE_MINIMUM[currency] <= amount <= STRIPE_MAXIMUM


def read_sum(text: str, currency: str) -> int | None:
    """A sum as people type it ("562.50", "562,5", "562") in minor units; None for anything else. Thousands are not
    grouped, so that "1.125" is never taken for a thousand times less or more."""
    whole, separator, part = text.strip(SIGNS).replace(",", ".").partition(".")
    digits = exponent(currency)
    if not (whole.isascii() and whole.isdigit() and len(whole) <= LONGEST_SUM):
        return None
    if separator and not (part.isascii() and part.isdigit() and len(part) <= digits):
        return None
    return int(whole + part.ljust(digits, "0"))
