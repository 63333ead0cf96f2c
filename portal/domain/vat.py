"""The VAT that a price contains."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Protocol


class PriceLine(Protocol):
    """What a line of the price has to have for its VAT to be worked out."""

    amount: int
    vat_percent: str | None


@dataclass(frozen=True)
class VatSum:
    """The VAT contained in all lines of one rate, in minor units."""

    percent: Decimal
    amount: int


def vat_by_rate(lines: Iterable[PriceLine]) -> list[VatSum]:
    """The VAT that each line contains (amount × p ÷ (100 + p), half up), summed for each rate, the highest first."""
    sums: dict[Decimal, int] = {}
    for line in lines:
        rate = Decimal(line.vat_percent or 0)
        if rate > 0:
            vat = (line.amount * rate / (100 + rate)).quantize(Decimal(1), ROUND_HALF_UP)
            sums[rate] = sums.get(rate, 0) + int(vat)
    return [VatSum(rate, sums[rate]) for rate in sorted(sums, reverse=True)]


def vat_of_part(lines: Iterable[PriceLine], part: int, total: int) -> list[VatSum]:
    """The same for a part of the price: each rate has its share of the part, half up. The whole has exactly its own."""
    if total <= 0:
        return []
    return [
        VatSum(vat.percent, int((Decimal(vat.amount) * part / total).quantize(Decimal(1), ROUND_HALF_UP)))
        for vat in vat_by_rate(lines)
    ]
