"""What must be in the ledger after the shift, added up from what happened on the floor and never from a message."""

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from app.demo.floor import Machine, Run
from app.demo.people import Hold, Papers
from app.demo.plan import PlannedOrder, PlannedPart
from app.demo.shift import BUSINESS_DATE

TIGHT_STEP = 20
"""Ordered quantities are multiples of this, so that limits in whole percent are whole pieces."""


class Account(NamedTuple):
    """Kinds: yield, scrap, rework (what is still open), consumption, machine_time, setup_time. Times have neither
    material nor lot. For consumption material and lot are the component's."""

    order: str
    operation: str
    material: str
    lot: str
    kind: str
    reason: str
    business_date: str


class TrueQuantity(NamedTuple):
    order: str
    operation: str
    material: str
    lot: str


@dataclass(slots=True)
class Planted:
    """Dirt in the raw files. All of it is certain: what the pipeline counts must be equal."""

    refused: dict[tuple[str, str], int] = field(default_factory=dict)
    """(source, code) -> raw records that the mapping refuses."""
    duplicate_readings: int = 0
    """Readings that came again with their own sequence number and value."""
    conflicting_readings: int = 0
    """Readings that came with a known sequence number and another value. The first one to arrive is true."""
    duplicate_events: int = 0
    """Events of people that came again under their own id."""
    delayed_readings: int = 0
    """Readings that came 20 seconds to 4 minutes after their time; most, not all, were overtaken."""
    late_runs: int = 0
    """Runs whose start was told minutes after their first readings."""
    resets: int = 0
    """Falls of a counter or meter that start again at 0."""
    roll_overs: int = 0
    placeholders: int = 0
    """Times that a counter showed a zero and then went on where it was."""


@dataclass(slots=True)
class Truth:
    """The outcome of a generated shift."""

    accounts: dict[Account, Fraction]
    """Exact total per account, in the unit of `units`: parked and held quantity included."""
    units: dict[Account, str]
    """PC, kg or ms."""
    gross: dict[TrueQuantity, int]
    """Pieces counted by a machine that counts gross: yield + scrap + open rework."""
    good: dict[TrueQuantity, int]
    """Pieces counted by a machine that counts good ones: its yield. Its scrap is declared on top."""
    unattributed: dict[str, int]
    """Equipment -> counts while no run was open."""
    parked: dict[Account, Fraction]
    """What is beyond the over-delivery limit of an order, and must wait for a person."""
    limits: dict[str, int]
    """Order -> pieces of its main item that may be delivered."""
    packaging: dict[tuple[str, str, str], Fraction]
    """(order, operation, material) -> what the ERP derives by itself, from yield; no account has it."""
    completed: dict[str, str]
    """Order -> when it was reported complete (UTC, ISO 8601)."""
    holds: list[Hold]
    planted: Planted = field(default_factory=Planted)
    files: dict[str, Path] = field(default_factory=dict)
    """Source -> the file that was written."""
    records: dict[str, int] = field(default_factory=dict)
    """Source -> lines in its file."""
    readings: int = 0
    """Counter readings among them, repeated ones included."""
    process_values: int = 0
    canaries: tuple[str, ...] = ()
    """Texts of process values that no request to an ERP may ever contain."""

    @property
    def counted(self) -> int:
        """All pieces that counters counted: yield + scrap + open rework of gross counters, good, and unattributed."""
        return sum(self.gross.values()) + sum(self.good.values()) + sum(self.unattributed.values())

    def total(self, kind: str) -> Fraction:
        """Sum over the accounts of a kind (meaningful for one unit: pieces, kg of times)."""
        return sum((amount for account, amount in self.accounts.items() if account.kind == kind), Fraction(0))


class Sums:
    """Adds up by account."""

    def __init__(self) -> None:
        self.amounts: dict[Account, Fraction] = defaultdict(Fraction)
        self.units: dict[Account, str] = {}

    def add(self, run: Run, material: str, lot: str, kind: str, amount: Fraction | int, unit: str, reason: str = "") -> None:
        account = Account(run.order.number, run.step.operation, material, lot, kind, reason, BUSINESS_DATE)
        self.amounts[account] += amount
        self.units[account] = unit


def tell(machines: list[Machine], papers: Papers, orders: list[PlannedOrder]) -> Truth:
    """The truth of the shift; `files` and what follows is filled in by who writes them."""
    sums = Sums()
    gross: dict[TrueQuantity, int] = defaultdict(int)
    good: dict[TrueQuantity, int] = defaultdict(int)
    for machine in machines:
        for run in machine.runs:
            counted = good if machine.counter == "good" else gross
            for start, end, outputs in run.segments():
                for output in outputs:
                    shots = run.shots_in(start, end)
                    if machine.counter == "good":
                        shots -= run.bad_in(start, end)
                    made = TrueQuantity(run.order.number, run.step.operation, output.material, output.lot)
                    counted[made] += shots * output.factor
                    sums.add(run, output.material, output.lot, "yield", shots * output.factor, "PC")
            _resin(sums, run)
            _backflush(sums, run)
            sums.add(run, "", "", "machine_time", sum(end - start for start, end in run.running()), "ms")
            sums.add(run, "", "", "setup_time", run.running_from - run.start, "ms")
    _people(sums, machines, papers)
    accounts = {account: amount for account, amount in sums.amounts.items() if amount}
    limits = {order.number: _limit(order, accounts) for order in orders}
    return Truth(
        accounts=accounts,
        units={account: sums.units[account] for account in accounts},
        gross=dict(gross),
        good=dict(good),
        unattributed={machine.name: len(machine.trial) for machine in machines if machine.trial},
        parked=_parked(orders, accounts, limits),
        limits=limits,
        packaging=_packaging(orders, accounts),
        completed={},
        holds=papers.holds,
    )


def ordered(order: PlannedOrder, material: str, accounts: dict[Account, Fraction]) -> int:
    """Pieces that the ERP asks for: less than was made where the order is tight, else well above it."""
    made = max(
        amount
        for account, amount in accounts.items()
        if (account.order, account.material, account.kind) == (order.number, material, "yield")
    )
    share = Fraction(9, 10) if order.tight else Fraction(6, 5)
    return int(made * share) // TIGHT_STEP * TIGHT_STEP


def _limit(order: PlannedOrder, accounts: dict[Account, Fraction]) -> int:
    return ordered(order, order.materials[0][0], accounts) * (100 + int(order.over_delivery)) // 100


def _resin(sums: Sums, run: Run) -> None:
    for start, end, _, material, lot in (load for load in run.loaded() if load[2] == "resin"):
        used = sum(weight for at, weight in zip(run.shots, run.grams, strict=True) if start <= at < end)
        sums.add(run, material, lot, "consumption", Fraction(used, 1000), "kg")


def _backflush(sums: Sums, run: Run) -> None:
    for part in (part for part in run.order.parts if _by_ledger(part, run)):
        per_piece = Fraction(part.amount, 10**part.decimals * part.base)
        for start, end, position, material, lot in run.loaded():
            if position == part.position:
                pieces = sum(
                    run.shots_in(max(start, first), min(end, last)) * output.factor
                    for first, last, outputs in run.segments()
                    if max(start, first) < min(end, last)
                    for output in outputs
                )
                sums.add(run, material, lot, "consumption", pieces * per_piece, part.unit)


def _by_ledger(part: PlannedPart, run: Run) -> bool:
    return part.mode == "ledger_backflush" and part.operation == run.step.operation


def _people(sums: Sums, machines: list[Machine], papers: Papers) -> None:
    counts_good = {run.id for machine in machines if machine.counter == "good" for run in machine.runs}
    for fact in papers.pieces:
        of = (fact.run, fact.material, fact.lot)
        into, out_of = {
            "scrap": ("scrap", "yield"),
            "rework": ("rework", "yield"),
            "rework_to_yield": ("yield", "rework"),
            "rework_to_scrap": ("scrap", "rework"),
        }[fact.act]
        sums.add(*of, into, fact.quantity, "PC", "" if into == "yield" else fact.reason)
        if fact.run.id not in counts_good:
            sums.add(*of, out_of, -fact.quantity, "PC", "" if out_of == "yield" else fact.reason)
    for used in papers.used:
        sums.add(used.run, used.material, used.lot, "consumption", Fraction(used.amount, 10**used.decimals), used.unit)


def _parked(orders: list[PlannedOrder], accounts: dict[Account, Fraction], limits: dict[str, int]) -> dict[Account, Fraction]:
    found = {}
    for order in (order for order in orders if order.tight):
        for account, amount in accounts.items():
            if (account.order, account.kind) == (order.number, "yield") and amount > limits[order.number]:
                found[account] = amount - limits[order.number]
    return found


def _packaging(orders: list[PlannedOrder], accounts: dict[Account, Fraction]) -> dict[tuple[str, str, str], Fraction]:
    found: dict[tuple[str, str, str], Fraction] = defaultdict(Fraction)
    for order in orders:
        for part in (part for part in order.parts if part.mode == "erp_backflush"):
            for account, amount in accounts.items():
                if (account.order, account.operation, account.kind) == (order.number, part.operation, "yield"):
                    need = Fraction(part.amount, 10**part.decimals * part.base)
                    found[(order.number, part.operation, part.material)] += amount * need
    return dict(found)
