"""One authority per quantity (docs/domain.md, Authority): what the other one says about the same, and the difference.

Per order, operation, material and business date, over all lots, and over those machines of which the other authority speaks: what
one machine declares says nothing of another's pieces. Only the authority's figure counts, booked or parked; this is the check.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from app.ledger.books.snapshot import Snapshot
from app.ledger.proof.balance import order_of, units_of
from app.ledger.questions.export import quantity_text
from schemas.records import AccountRow, SourceTotal
from tables.orders.conversions import in_unit
from tables.orders.order import weights_of
from tables.plant.units import UnitTable
from tables.quantity import exact_text
from tables.refusal import Refusal
from tables.row_kinds import ACCOUNT_ROWS


class What(NamedTuple):
    order: str
    operation: str
    material: str
    business_date: str
    kind: str
    unit: str


@dataclass(slots=True, frozen=True)
class Variance:
    """`booked` by `authority` (or to be booked: it may be parked), and `checked` by the other one; both exact, in the account's
    unit."""

    what: What
    authority: str
    booked: Fraction
    by: str
    checked: Fraction
    at: tuple[str, ...] = ()
    """The machines compared; empty: all of the operation, because one of the two names no machine."""

    @property
    def difference(self) -> Fraction:
        return self.booked - self.checked


def variances(snapshot: Snapshot) -> list[Variance]:
    """Each quantity that two authorities speak of, equal or not; in key order."""
    units = units_of(snapshot)
    booked: dict[What, dict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    checked: dict[tuple[What, str], dict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    authority: dict[tuple[What, str], str] = {}
    for row in snapshot.of(ACCOUNT_ROWS):
        what = What(row.order, row.operation, row.material, row.business_date, row.kind, row.unit)
        counts = weights_of(snapshot.configuration, order_of(snapshot, row), row)
        for source, sign in _booked(row, counts):
            booked[what][source.equipment] += sign * _amount(source, row, units)
            if source.kind not in ("scrap", "rework") or row.kind != "yield":
                authority[what, source.equipment] = source.authority
        for source in _checks(snapshot, row, counts):
            checked[what, source.authority][source.equipment] += _amount(source, row, units)
    return [_compared(what, by, booked[what], amounts, authority) for (what, by), amounts in sorted(checked.items())]


def _compared(
    what: What,
    by: str,
    booked: Mapping[str, Fraction],
    checked: Mapping[str, Fraction],
    authority: Mapping[tuple[What, str], str],
) -> Variance:
    """What the machines that `by` speaks of gave; all of them, when one of the two names no machine."""
    of_machines = "" not in checked and "" not in booked
    machines = sorted(checked) if of_machines else sorted(booked)
    whose = sorted({authority[what, name] for name in machines if (what, name) in authority}) or ["nobody"]
    total = sum((booked.get(name, Fraction(0)) for name in machines), Fraction(0))
    at = tuple(machines) if of_machines else ()
    return Variance(what, " and ".join(whose), total, by, sum(checked.values(), Fraction(0)), at)


def _booked(row: AccountRow, counts: Mapping[str, int]) -> Iterator[tuple[SourceTotal, int]]:
    yield from ((source, counts[key]) for key, source in sorted(row.sources.items()) if counts[key])


def _checks(snapshot: Snapshot, row: AccountRow, counts: Mapping[str, int]) -> Iterator[SourceTotal]:
    """Sources that do not count. In a yield account: good pieces of the other authority (scrap has an account of its own)."""
    if row.kind == "yield" and snapshot.configuration.plant.plant.pallets == "ignore":
        return
    for key, source in sorted(row.sources.items()):
        if not counts[key] and (row.kind != "yield" or source.kind == "good"):
            yield source


def _amount(source: SourceTotal, row: AccountRow, units: UnitTable) -> Fraction:
    found = in_unit(row, source, row.unit, units)
    return Fraction(0) if isinstance(found, Refusal) else found


def lines_of(found: Sequence[Variance]) -> list[str]:
    """For people: those that differ first."""
    if not found:
        return ["no quantity was told by both counters and declarations: there is nothing to compare"]
    differing = [entry for entry in found if entry.difference]
    lines = [f"{len(differing)} of {len(found)} quantities that two authorities speak of differ"]
    lines += [f"  {line(entry)}" for entry in sorted(found, key=lambda entry: (not entry.difference, entry.what))]
    return lines


def line(entry: Variance) -> str:
    what = entry.what
    at = f" at {', '.join(entry.at)}" if entry.at else ""
    return (
        f"{what.kind} order {what.order} op {what.operation} {what.material} {what.business_date}{at}: "
        f"{quantity_text(entry.booked)} {what.unit} by {entry.authority}, which counts, "
        f"{quantity_text(entry.checked)} by {entry.by}, difference {quantity_text(entry.difference)}"
    )


def as_json(found: Sequence[Variance]) -> list[dict[str, Any]]:
    return [
        {
            **entry.what._asdict(),
            "authority": entry.authority,
            "booked": exact_text(entry.booked),
            "by": entry.by,
            "checked": exact_text(entry.checked),
            "difference": exact_text(entry.difference),
            "equipment": list(entry.at),
        }
        for entry in found
    ]
