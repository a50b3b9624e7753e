"""What a ledger holds, by the accounts of the truth and in its units: PC, mg and ms."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction

from app.demo.truth import Account
from app.ledger.books.snapshot import Snapshot
from app.ledger.proof.balance import Proof
from tables.orders.account import account_key
from tables.quantity import fraction
from tables.row_kinds import ACCOUNT_ROWS
from tests.plants.truth import MG, Nobodys

SIZES = {"PC": (1, "PC"), "kg": (1_000_000, MG), "g": (1_000, MG), "ms": (1, "ms")}
"""Unit of the ledger -> (how many of the truth's, which)."""
Amounts = dict[Account, Fraction]


def recorded(ledger: Snapshot, proof: Proof) -> Amounts:
    """Exact recorded quantity; accounts that differ only by place are one."""
    sums: Amounts = defaultdict(Fraction)
    for row in ledger.of(ACCOUNT_ROWS):
        if account_key(row) in proof.accounts:
            account = Account(row.order, row.operation, row.material, row.lot, row.kind, row.reason, row.business_date)
            sums[account] += proof.accounts[account_key(row)].recorded * SIZES[row.unit][0]
    return {account: amount for account, amount in sums.items() if amount}


def unattributed(proof: Proof) -> dict[Nobodys, Fraction]:
    sums: dict[Nobodys, Fraction] = defaultdict(Fraction)
    for entry in proof.unattributed:
        size, unit = SIZES[entry.destination.unit]
        key = Nobodys(entry.equipment, entry.destination.authority, entry.destination.business_date, unit)
        sums[key] += fraction(entry.total.amount, entry.destination.scale) * size
    return {key: amount for key, amount in sums.items() if amount}


def exported(rows: Iterable[Mapping[str, str]]) -> Amounts:
    """Sum of the two CSV files of a run by account, without what is nobody's."""
    sums: Amounts = defaultdict(Fraction)
    for row in rows:
        if row["status"] != "unattributed":
            account = Account(*(row[name] for name in Account._fields))
            sums[account] += Fraction(row["quantity"]) * SIZES[row["uom"]][0]
    return {account: amount for account, amount in sums.items() if amount}


def differences(found: Mapping[object, Fraction], true: Mapping[object, Fraction]) -> list[str]:
    """What is not equal, one sentence each."""
    return [
        f"{key}: {found.get(key, Fraction(0))} instead of {true.get(key, Fraction(0))}"
        for key in sorted({*found, *true}, key=str)
        if found.get(key, Fraction(0)) != true.get(key, Fraction(0))
    ]


def step(row: Mapping[str, str]) -> Fraction:
    """Of a line of the export: what its ERP unit can book at least, in the truth's unit."""
    decimals = len(row["quantity"].partition(".")[2])
    return Fraction(SIZES[row["uom"]][0], 10**decimals)
