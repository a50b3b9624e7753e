"""The two CSV files of a run, as their readers see them."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path

from app.demo.truth import Account

Row = Mapping[str, str]
FROM_THE_ERP = ("status", "erp_document")
"""Columns that say how far delivery got; everything else is decided by the log alone."""


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def beside(postings: Path) -> Path:
    """The file of what is not posted."""
    return postings.with_name("postings.not_posted.csv")


def account_of(row: Row) -> Account:
    return Account(*(row[name] for name in Account._fields))


def totals(found: Iterable[Row]) -> dict[Account, Fraction]:
    """Sum of the quantities by account; without those that come to nothing."""
    sums: dict[Account, Fraction] = defaultdict(Fraction)
    for row in found:
        sums[account_of(row)] += Fraction(row["quantity"])
    return {account: amount for account, amount in sums.items() if amount}


def decided_by_the_log(path: Path) -> bytes:
    """The file without the columns of the ERP, in the order in which it was written."""
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        columns = [name for name in reader.fieldnames or () if name not in FROM_THE_ERP]
        out = io.StringIO(newline="")
        writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(reader)
    return out.getvalue().encode()
