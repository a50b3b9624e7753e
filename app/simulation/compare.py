"""Two ledgers of one history side by side: postings, calls, latency to post, and where they differ."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from app.simulation.replay import Ledger
from schemas.records import Posting
from tables.orders.account import account_key, carry, unposted
from tables.quantity import fraction

MOST_LISTED = 20


@dataclass(slots=True)
class Figures:
    """Of one ledger. Times in microseconds, quantities exact."""

    rules: str
    postings: int = 0
    corrections: int = 0
    """Postings that take something back."""
    documents: int = 0
    """Calls to the ERP when none fails and nothing waits for a hold: postings of one order, cut and header share one, up to
    lines_per_document."""
    by_kind: dict[tuple[str, str], tuple[int, Fraction]] = field(default_factory=dict)
    """(kind, unit) -> postings, posted quantity."""
    pending: dict[tuple[str, str], Fraction] = field(default_factory=dict)
    parked: dict[tuple[str, str, str], Fraction] = field(default_factory=dict)
    """(kind, unit, code) -> quantity."""
    latency: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    """kind -> median, 95th percentile and longest time that something waited for its posting."""
    refused: dict[str, int] = field(default_factory=dict)


def figures(ledger: Ledger) -> Figures:
    found = Figures(ledger.configuration.rule_version, refused=dict(ledger.refused))
    counts: Counter[tuple[str, str]] = Counter()
    sums: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    waits: dict[str, list[int]] = defaultdict(list)
    for posting in ledger.postings:
        key = (posting.kind, posting.unit)
        counts[key] += 1
        sums[key] += fraction(posting.amount, posting.scale)
        waits[posting.kind].append(posting.cut - posting.waited_since)
    found.postings, found.by_kind = len(ledger.postings), {key: (counts[key], sums[key]) for key in sorted(counts)}
    found.corrections = sum(posting.amount < 0 for posting in ledger.postings)
    found.documents = documents(ledger)
    found.latency = {kind: _percentiles(sorted(times)) for kind, times in sorted(waits.items())}
    for row in ledger.accounts():
        if unposted(row):
            key = (row.kind, row.unit)
            found.pending[key] = found.pending.get(key, Fraction(0)) + fraction(unposted(row), row.scale)
        if row.parked:
            parked = (row.kind, row.unit, row.code)
            found.parked[parked] = found.parked.get(parked, Fraction(0)) + fraction(row.parked, row.scale)
    return found


def documents(ledger: Ledger) -> int:
    erp = ledger.configuration.erp
    lines: Counter[tuple[Any, ...]] = Counter()
    for posting in ledger.postings:
        lines[_document_of(posting, erp.booking(posting.kind).by)] += 1  # type: ignore[arg-type]
    return sum(-(-count // erp.erp.lines_per_document) for count in lines.values())


def _document_of(posting: Posting, by: str) -> tuple[Any, ...]:
    return posting.order, posting.cut, posting.business_date, posting.posting_date, by


def _percentiles(times: list[int]) -> tuple[int, int, int]:
    return times[(len(times) - 1) // 2], times[(len(times) - 1) * 95 // 100], times[-1]


@dataclass(slots=True, frozen=True)
class AccountDifference:
    """An account that ends otherwise: posted quantity and code under each of the rules."""

    account: str
    unit: str
    posted: tuple[Fraction, Fraction]
    codes: tuple[str, str]


def differences(old: Ledger, new: Ledger) -> list[AccountDifference]:
    """Accounts whose posted quantity or code differs, the largest difference first. The number of postings in between is no
    difference: what counts in the end is the sum."""
    sides = [{account_key(row): row for row in ledger.accounts()} for ledger in (old, new)]
    found = []
    for key in sorted(sides[0].keys() | sides[1].keys()):
        rows = [side.get(key) for side in sides]
        posted = tuple(fraction(row.posted, row.scale) if row is not None else Fraction(0) for row in rows)
        codes = tuple(row.code if row is not None else "" for row in rows)
        units = {row.unit for row in rows if row is not None and row.sources}
        if posted[0] != posted[1] or codes[0] != codes[1]:
            found.append(AccountDifference(key, "/".join(sorted(units)), (posted[0], posted[1]), (codes[0], codes[1])))
    return sorted(found, key=lambda one: (-abs(one.posted[1] - one.posted[0]), one.account))


def unbalanced(ledger: Ledger) -> list[str]:
    """I1 under these rules: accounts whose recorded quantity is not posted, pending, parked, covered or carry."""
    wrong = []
    for row in ledger.accounts():
        recorded = Fraction(row.recorded_numerator, row.recorded_denominator)
        held = row.target - row.posted if row.covered else row.parked + unposted(row)
        if fraction(row.posted + held, row.scale) + carry(row) != recorded:
            wrong.append(account_key(row))
    return wrong
