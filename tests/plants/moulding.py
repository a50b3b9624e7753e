"""An injection-moulding shop as its MES exports it: shot log, run list, scrap list, batches; local times without zone, numbers
as an office program writes them. Its truth is added up while it is made, shot by shot, and never read from the files.

11 machines, 3 shifts, UTC+7. With `FULL`: 66 days, about 2,100 runs, 190 orders and 2.5 million shots.
"""

import csv
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from heapq import merge
from pathlib import Path
from random import Random
from typing import NamedTuple

from app.demo.truth import Account

ZONE = timedelta(hours=7)
BEGIN = datetime(2026, 3, 1, 23, 0, tzinfo=UTC)
"""06:00 on the 2nd of March where the shop stands."""
MODULUS = 100_000
MACHINES = tuple(f"{n:02d}" for n in range(1, 12))
WITHOUT_COUNTER = {"08", "09", "10", "11"}
RESINS, BLUE = ("PP H450", "ABS Terluran"), "MB blue"
INSERT = "INS 12"
SHARED = "2603-A"
REASONS = {"01": "short shot", "02": "burn mark", "07": "flash"}
HEADERS = {
    "orders": ("Order", "Product", "Planned", "Product 2", "Planned 2", "MB g per 1000"),
    "runs": ("Run", "Machine", "Order", "Product", "Cavities", "Product 2", "Cavities 2", "Lot", "Start", "End", "Counter start"),
    "cavities": ("Time", "Machine", "Run", "Product", "Cavities", "Lot"),
    "shots": ("Shot No.", "Time", "Machine", "Counter", "Weight [g]"),
    "batches": ("Time", "Machine", "Hopper", "Material", "Batch"),
    "scrap": ("No.", "Happened", "Entered", "Machine", "Order", "Product", "Quantity", "Unit", "Reason"),
    "issues": ("No.", "Time", "Machine", "Order", "Material", "Batch", "Quantity", "Unit"),
}


class Size(NamedTuple):
    days: int
    orders: int
    cycle_s: int
    """Middle of the cycle times."""
    run_hours: tuple[int, int] = (5, 11)


FULL = Size(66, 190, 25)
SMALL = Size(3, 30, 300)


class Mould(NamedTuple):
    order: str
    products: tuple[tuple[str, int], ...]
    milligrams: int
    """Resin per shot, about."""
    blue_g: int
    """Masterbatch per 1000 pieces."""


@dataclass(slots=True)
class Shop:
    files: dict[str, Path]
    accounts: dict[Account, Fraction]
    """PC and mg, as tests.plants.truth."""
    unattributed: dict[str, int]
    """Machine -> shots while no run was open."""
    shots: int = 0
    runs: int = 0
    rows: int = 0


@dataclass(slots=True)
class Sums:
    amounts: dict[Account, Fraction] = field(default_factory=lambda: defaultdict(Fraction))

    def add(self, order: str, kind: str, second: int, amount: Fraction | int, material: str, lot: str, reason: str = "") -> None:
        self.amounts[Account(order, "10", material, lot, kind, reason, business_date(second))] += amount


def generate(folder: Path, seed: int, size: Size) -> Shop:
    """Write the exports into `folder`. Seconds are counted from BEGIN."""
    folder.mkdir(parents=True, exist_ok=True)
    chance, sums = Random(f"moulding/{seed}"), Sums()
    moulds = _moulds(size, chance)
    shop = Shop({name: folder / f"{name}.csv" for name in HEADERS}, {}, {})
    with ExitStack() as open_files:
        write = {name: _Writer(path, name, open_files) for name, path in shop.files.items()}
        for mould in moulds:
            write["orders"].row(_order_row(mould))
        machines = [_Machine(name, moulds, size, sums, Random(f"{seed}/{name}"), shop) for name in MACHINES]
        for _, row in merge(*(machine.log() for machine in machines), key=lambda entry: entry[0]):
            write["shots"].row(row)
            shop.shots += 1
            if chance.random() < 0.002:
                write["shots"].row(row)  # the export before this one had it, too
        for name in ("runs", "cavities", "batches", "scrap", "issues"):
            for _, row in sorted((entry for machine in machines for entry in machine.papers[name]), key=lambda entry: entry[0]):
                write[name].row(row)
        shop.rows = sum(writer.rows for writer in write.values())
    shop.accounts = {account: amount for account, amount in sums.amounts.items() if amount}
    shop.runs = sum(len(machine.papers["runs"]) for machine in machines)
    return shop


def _moulds(size: Size, chance: Random) -> list[Mould]:
    found = []
    for n in range(size.orders):
        product = f"4{n % 40:03d}"
        products = ((product, chance.choice((1, 2, 4, 8))),)
        if n % 7 == 3:
            products = ((f"{product}-L", 1), (f"{product}-R", 1))
        found.append(Mould(f"{700_000 + n:09d}", products, chance.randrange(8_000, 400_000), chance.choice((0, 250, 319))))
    return found


class _Machine:
    def __init__(self, name: str, moulds: list[Mould], size: Size, sums: Sums, chance: Random, shop: Shop) -> None:
        self.name, self._sums, self._chance, self._shop = name, sums, chance, shop
        self.papers: dict[str, list[tuple[int, tuple[str, ...]]]] = defaultdict(list)
        self._counter = chance.randrange(MODULUS)
        self._numbers = 0
        self._size = size
        self._loads: dict[str, list[tuple[int, str, str]]] = {"H1": [], "H2": []}
        self._plan(moulds)

    def _plan(self, moulds: list[Mould]) -> None:
        chance, size = self._chance, self._size
        end = size.days * 86_400
        for hopper, materials in (("H1", RESINS), ("H2", (BLUE,))):
            at = 30
            while at < end:
                batch = SHARED if chance.random() < 0.25 else f"{chance.randrange(10_000, 99_999)}"
                self._loads[hopper].append((at, chance.choice(materials), batch))
                at += chance.randrange(4 * 3600, 40 * 3600)
            for at, material, batch in self._loads[hopper]:
                self.papers["batches"].append((at, (stamp(at), machine_name(self.name), hopper, material, batch)))
        self._runs: list[tuple[int, int, Mould, str, list[tuple[int, int]]]] = []
        at = chance.randrange(300, 2_000)
        low, high = size.run_hours
        while at + high * 3600 < end:
            length = chance.randrange(low * 3600, high * 3600)
            mould = chance.choice(moulds)
            changes = []
            if len(mould.products) == 1 and mould.products[0][1] > 1 and chance.random() < 0.15:
                changes.append((at + length // 2, mould.products[0][1] - 1))
            lot = SHARED if chance.random() < 0.2 else f"{self.name}{len(self._runs):04d}"
            self._runs.append((at, at + length, mould, lot, changes))
            at += length + chance.randrange(120, 1_500)
        days = [day * 86_400 for day in range(1, size.days + 1)]
        loads = [load[0] for hopper in self._loads.values() for load in hopper]
        changed = [at for run in self._runs for at, _ in run[4]]
        self._marks = sorted([*days, *loads, *changed])
        for n, run in enumerate(self._runs):
            self._papers_of(n, run)

    def _papers_of(self, n: int, run: tuple[int, int, Mould, str, list[tuple[int, int]]]) -> None:
        start, end, mould, lot, changes = run
        chance, name = self._chance, f"R{self.name}-{n:04d}"
        for at, left in changes:
            row = (stamp(at), machine_name(self.name), name, mould.products[0][0], str(left), lot)
            self.papers["cavities"].append((at, row))
        for _ in range(chance.randrange(3)):
            at = chance.randrange(start + 60, end - 60) // 60 * 60
            entered = at + chance.randrange(60, 48 * 3600)
            product, reason, pieces = chance.choice(mould.products)[0], chance.choice(list(REASONS)), chance.randrange(1, 25)
            self._scrap(at, entered, mould, product, lot, pieces, reason)
            if chance.random() < 0.05:
                self._scrap(at, entered + 120, mould, product, lot, -1, reason)
        if chance.random() < 0.3:
            at, grams = chance.randrange(start + 60, end - 60), chance.randrange(1, 4_000_000)
            unit, shown = ("kg", number(grams, 6)) if chance.random() < 0.5 else ("g", number(grams, 3))
            batch = f"I{chance.randrange(99)}"
            milligrams = grams
            serial = f"{self.name}{len(self.papers['issues']):05d}"
            row = (serial, stamp(at), machine_name(self.name), mould.order, INSERT, batch, shown, unit)
            self.papers["issues"].append((at, row))
            self._sums.add(mould.order, "consumption", at, milligrams, INSERT, batch)

    def _scrap(self, at: int, entered: int, mould: Mould, product: str, lot: str, pieces: int, reason: str) -> None:
        serial = f"{self.name}{len(self.papers['scrap']):05d}"
        row = (
            serial,
            stamp(at)[:-3],
            stamp(entered),
            machine_name(self.name),
            mould.order,
            product,
            number(pieces),
            "PC",
            reason,
        )
        self.papers["scrap"].append((entered, row))
        self._sums.add(mould.order, "scrap", at, pieces, product, lot, REASONS[reason])
        self._sums.add(mould.order, "yield", at, -pieces, product, lot)

    def log(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        """The machine's rows of the shot log; what they make is added up on the way."""
        for n, (start, end, mould, lot, changes) in enumerate(self._runs):
            counter = "" if self.name in WITHOUT_COUNTER else str(self._counter)
            second = mould.products[1] if len(mould.products) > 1 else ("", "")
            self.papers["runs"].append(
                (
                    start,
                    (
                        *(f"R{self.name}-{n:04d}", machine_name(self.name), mould.order),
                        *(mould.products[0][0], str(mould.products[0][1]), second[0], str(second[1])),
                        *(lot, stamp(start), stamp(end), counter),
                    ),
                )
            )
            yield from self._shots(start, end, mould, lot, changes)
            yield from self._trial(end)

    def _shots(
        self, start: int, end: int, mould: Mould, lot: str, changes: list[tuple[int, int]]
    ) -> Iterator[tuple[int, tuple[str, ...]]]:
        chance, middle = self._chance, self._size.cycle_s
        cycle, at = chance.randrange(middle * 8 // 10, middle * 12 // 10 + 1), start + 60
        while at < end - 30:
            at = self._clear_of_marks(at)
            milligrams = mould.milligrams + chance.randrange(-500, 500)
            yield at, self._row(at, milligrams)
            for n, (product, cavities) in enumerate(mould.products):
                pieces = changes[0][1] if changes and n == 0 and at >= changes[0][0] else cavities
                self._sums.add(mould.order, "yield", at, pieces, product, lot)
                if mould.blue_g:
                    self._sums.add(mould.order, "consumption", at, mould.blue_g * pieces, BLUE, self._loaded("H2", at)[1])
            material, batch = self._loaded("H1", at)
            self._sums.add(mould.order, "consumption", at, milligrams, material, batch)
            at += cycle + chance.randrange(-1, 2)

    def _trial(self, end: int) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Shots that belong to no run: somebody tried something."""
        for n in range(3 if self._chance.random() < 0.05 else 0):
            at = self._clear_of_marks(end + 30 + 20 * n)
            self._shop.unattributed[f"IMM-{self.name}"] = self._shop.unattributed.get(f"IMM-{self.name}", 0) + 1
            yield at, self._row(at, 5_000)

    def _row(self, at: int, milligrams: int) -> tuple[str, ...]:
        self._numbers += 1
        self._counter = (self._counter + 1) % MODULUS
        counter = "" if self.name in WITHOUT_COUNTER else str(self._counter)
        return str(self._numbers), stamp(at), machine_name(self.name), counter, number(milligrams, 3)

    def _clear_of_marks(self, at: int) -> int:
        index = bisect_left(self._marks, at - 4)
        return at if index == len(self._marks) or self._marks[index] > at + 4 else self._marks[index] + 5

    def _loaded(self, hopper: str, at: int) -> tuple[str, str]:
        loads = self._loads[hopper]
        _, material, batch = loads[bisect_left(loads, (at,)) - 1]
        return material, batch


class _Writer:
    """One export: semicolons, a header, and lines as an office program ends them."""

    def __init__(self, path: Path, name: str, open_files: ExitStack) -> None:
        file = open_files.enter_context(path.open("w", newline="", encoding="cp1252"))
        self._writer = csv.writer(file, delimiter=";")
        self._writer.writerow(HEADERS[name])
        self.rows = 0

    def row(self, values: tuple[str, ...]) -> None:
        self._writer.writerow(values)
        self.rows += 1


def _order_row(mould: Mould) -> tuple[str, ...]:
    planned = number(2_000_000)
    second = mould.products[1][0] if len(mould.products) > 1 else ""
    return mould.order, mould.products[0][0], planned, second, planned if second else "", number(mould.blue_g)


def machine_name(name: str) -> str:
    return f"IMM {name}"


def stamp(second: int) -> str:
    """As clocks on the wall show it."""
    return f"{BEGIN + ZONE + timedelta(seconds=second):%d.%m.%Y %H:%M:%S}"


def business_date(second: int) -> str:
    """The night belongs to the day on which it began."""
    return str((BEGIN + ZONE + timedelta(seconds=second) - timedelta(hours=6)).date())


def number(amount: int, decimals: int = 0) -> str:
    """1031920 with 3 decimals is 1.031,920."""
    whole, part = divmod(abs(amount), 10**decimals)
    text = f"{whole:,}".replace(",", ".") + (f",{part:0{decimals}d}" if decimals else "")
    return f"-{text}" if amount < 0 else text
