"""Amounts as people read them, and the smallest amount that a card can pay."""

_SYMBOLS = {"eur": "€", "usd": "$", "gbp": "£", "jpy": "¥"}
_WITHOUT_CENTS = {"jpy"}

# docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
MINIMUM = {"eur": 50, "usd": 50, "gbp": 30, "jpy": 50}
MAXIMUM = 99_999_999


def formatted(amount: int, currency: str) -> str:
    """`€1,125.00`, or `¥500` for a currency without cents."""
    sign = "-" if amount < 0 else ""
    symbol = _SYMBOLS.get(currency, currency.upper() + " ")
    if currency in _WITHOUT_CENTS:
        return f"{sign}{symbol}{abs(amount):,}"
    return f"{sign}{symbol}{abs(amount) // 100:,}.{abs(amount) % 100:02d}"
