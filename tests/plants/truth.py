"""What must be in the ledger, added up from what happened. Knows nothing of records, counters or files."""

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from app.demo.truth import Account
from tests.plants.floor import COLOUR, DOSING, HOPPER, Floor, Machine, Run, Shot
from tests.plants.people import REASONS, Fact

MG = "mg"
"""Weights are compared in milligrams, whatever the ledger books them in."""


class Nobodys(NamedTuple):
    """Where unattributed quantity is listed: by equipment, who says so, business date and unit."""

    equipment: str
    authority: str
    business_date: str
    unit: str


@dataclass(slots=True)
class Truth:
    accounts: dict[Account, Fraction]
    """In PC, mg and ms; accounts that come to nothing are left out."""
    unattributed: dict[Nobodys, Fraction]

    def kinds(self) -> set[str]:
        return {account.kind for account in self.accounts}


class Sums:
    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self.accounts: dict[Account, Fraction] = defaultdict(Fraction)
        self.unattributed: dict[Nobodys, Fraction] = defaultdict(Fraction)

    def add(
        self,
        run: Run,
        kind: str,
        at: int,
        amount: Fraction | int,
        material: str = "",
        lot: str = "",
        reason: str = "",
        order: str = "",
    ) -> None:
        date = self.floor.wall.business_date(at)
        self.accounts[Account(order or run.order, run.operation, material, lot, kind, reason, date)] += amount

    def nobodys(self, machine: str, authority: str, at: int, amount: int, unit: str = "PC") -> None:
        self.unattributed[Nobodys(machine, authority, self.floor.wall.business_date(at), unit)] += amount


def tell(floor: Floor, facts: list[Fact]) -> Truth:
    sums = Sums(floor)
    for machine in floor.machines:
        for shot in machine.shots:
            _count(sums, machine, shot)
        for run in machine.runs:
            for start, end in run.running:
                _time(sums, run, "machine_time", start, end)
            _time(sums, run, "setup_time", *run.setup)
    for fact in facts:
        _declare(sums, fact)
    _find_pieces(sums.accounts)
    return Truth(
        {account: amount for account, amount in sums.accounts.items() if amount},
        {key: amount for key, amount in sums.unattributed.items() if amount},
    )


def _find_pieces(accounts: dict[Account, Fraction]) -> None:
    """Scrap of a day lowers what was made: where that day has fewer pieces of the lot than were scrapped, those of another day,
    the oldest first."""
    yields = sorted((one for one in accounts if one.kind == "yield"), key=lambda one: (one.business_date, one.lot))
    for short in yields:
        for source in yields:
            same = source._replace(business_date="", lot="") == short._replace(business_date="", lot="")
            if same and source.lot == short.lot and accounts[short] < 0 < accounts[source]:
                moved = min(-accounts[short], accounts[source])
                accounts[short] += moved
                accounts[source] -= moved


def _time(sums: Sums, run: Run, kind: str, start: int, end: int) -> None:
    for first, last in sums.floor.wall.days(start, end):
        sums.add(run, kind, first, last - first)


def _count(sums: Sums, machine: Machine, shot: Shot) -> None:
    if machine.metered:
        if shot.run is None:
            sums.nobodys(machine.name, "counters", shot.at, shot.mg, MG)
        else:
            material, lot = machine.loaded(HOPPER, shot.at)
            sums.add(shot.run, "consumption", shot.at, shot.mg, material, lot)
    if shot.run is None:
        # Every counter of the machine has it on its own: `all` counts gross, and the shot again as good or as scrap.
        times = {"gross": 1, "good": int(shot.good), "all": 2}[machine.counts]
        sums.nobodys(machine.name, "counters", shot.at, times)
        return
    for output in shot.run.outputs(shot.at):
        pieces = output.pieces if machine.counts == "gross" else int(shot.good)
        sums.add(shot.run, "yield", shot.at, pieces, output.material, output.lot, order=output.order)
        if machine.counts == "all":
            sums.add(shot.run, "scrap", shot.at, int(not shot.good), output.material, output.lot)
        elif machine.counts == "gross":
            _backflush(sums, machine, shot, shot.run, output.pieces)
    if machine.counts == "all":
        _backflush(sums, machine, shot, shot.run, 1)


def _backflush(sums: Sums, machine: Machine, shot: Shot, run: Run, pieces: int) -> None:
    order = sums.floor.orders.get(run.order)
    milligrams, per = order.colour if order is not None else (0, 1)
    material, lot = machine.loaded(DOSING, shot.at)
    sums.add(run, "consumption", shot.at, Fraction(milligrams * pieces, per), COLOUR, lot if material == COLOUR else "")


def _declare(sums: Sums, fact: Fact) -> None:
    output, at, quantity = fact.output, fact.happened, fact.quantity
    assert output is not None
    reason = REASONS.get(fact.reason, "")
    run = fact.run or Run("", "", fact.order, fact.operation, at, at, [])
    machine = next((machine for machine in sums.floor.machines if machine.name == fact.machine), None)
    of = (output.material, output.lot)
    counted_gross = machine is not None and machine.counts != "good"

    def lower_yield(by: int) -> None:
        if counted_gross:
            sums.add(run, "yield", at, -by, *of)

    if fact.act == "scrap" and fact.by != "order" and machine is not None and machine.counts == "all":
        return  # a check: its reject gate has the word
    match fact.act:
        case "made":
            sums.add(run, "yield", at, quantity, *of)
        case "pallet":
            pass  # a check: counters have the word
        case "use":
            sums.add(run, "consumption", at, quantity, *of)
        case "component_scrap":
            sums.add(run, "consumption", at, quantity, *of, reason)
        case "stock_scrap":
            sums.add(run, "scrap", at, quantity, *of, reason)
        case "scrap":
            sums.add(run, "scrap", at, quantity, *of, reason)
            lower_yield(quantity)
        case "rework":
            sums.add(run, "rework", at, quantity, *of)
            lower_yield(quantity)
        case "rework_ok":
            sums.add(run, "rework", at, -quantity, *of)
            lower_yield(-quantity)
        case "rework_nok":
            sums.add(run, "rework", at, -quantity, *of)
            sums.add(run, "scrap", at, quantity, *of, reason)
