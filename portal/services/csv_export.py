"""Lists as CSV files that a spreadsheet opens without harm: it would run a text that begins like a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import IO

from portal.domain import money

Cell = str | int | Decimal | None

_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def write(file: IO[bytes], header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """UTF-8 with a byte order mark and CRLF, as spreadsheets expect. Numbers stay numbers, below zero, too; no text is
    a formula. Rows are written as they come, so a long list takes no memory."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([_safe(cell) for cell in row])
    text.detach()


def decimal_sum(amount: int | None, currency: str) -> Decimal | None:
    """Minor units as a number with a dot: 112500 EUR → 1125.00."""
    return None if amount is None else Decimal(amount).scaleb(-money.exponent(currency))


def _safe(cell: Cell) -> str | int | Decimal:
    if cell is None:
        return ""
    if isinstance(cell, str):
        cell = cell.replace("\x00", "")
        return f"'{cell}" if cell.startswith(_BEGINS_A_FORMULA) else cell
    return cell
