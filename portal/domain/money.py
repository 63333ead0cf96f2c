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


def exponent(currency: str) -> int:
    """How many decimals to show. Money in a currency that is not listed can only have come by mistake and goes back;
    two decimals are what most have."""
    return CURRENCY_EXPONENTS.get(currency, 2)


def may_be_charged(amount: int, currency: str) -> bool:
    """Whether a sum in minor units can be a reservation's total or be left to pay: nothing, or what Stripe takes."""
    return amount == 0 or STRIPE_MINIMUM[currency] <= amount <= STRIPE_MAXIMUM
