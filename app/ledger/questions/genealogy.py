"""Which lots went into which: the rows of lots as a graph that questions walk, up and down. Cycles (rework) are walked once."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from app.ledger.books.snapshot import Snapshot
from schemas.records import HoldState, LotRow, ScopeHold, ScopeLotRow, ScopeRow
from tables import lots, scopes
from tables.equipment.attribution import END_OF_TIME
from tables.refusal import Refusal
from tables.row_kinds import LOT_ROWS, SCOPE_LOT_ROWS, SCOPE_ROWS


class LotName(NamedTuple):
    """A lot of the plant that is asked about."""

    material: str
    lot: str

    def __str__(self) -> str:
        return f"{self.material}|{self.lot}"


class ScopeName(NamedTuple):
    """What a hold may be placed on instead of a lot: an equipment, an order, a run or a supplier's lot, within a time
    (microseconds, both included; `END_OF_TIME`: it goes on)."""

    scope: str
    name: str
    from_at: int = 0
    to_at: int = END_OF_TIME

    def __str__(self) -> str:
        return scopes.origin(*self)


Target = LotName | ScopeName
"""What people place holds on."""


class LotReached(NamedTuple):
    """A lot that a walk came to. `depth`: edges from where it began; 0: it began there."""

    name: LotName
    depth: int


class Genealogy:
    """The lots of one plant. A lot that others name and that nothing else is known of has no row."""

    def __init__(self, snapshot: Snapshot) -> None:
        plant = snapshot.configuration.plant.plant.id
        rows = snapshot.of(LOT_ROWS, plant)
        self._scopes: list[ScopeRow] = list(snapshot.of(SCOPE_ROWS, plant))
        self._scope_lots: dict[tuple[str, str], list[ScopeLotRow]] = {}
        for lot in snapshot.of(SCOPE_LOT_ROWS, plant):
            self._scope_lots.setdefault((lot.scope, lot.name), []).append(lot)
        self.rows: dict[LotName, LotRow] = {LotName(row.material, row.lot): row for row in rows}
        self._down = {name: [LotName(child.material, child.lot) for child in row.children] for name, row in self.rows.items()}
        self._up: dict[LotName, list[LotName]] = {}
        for name, children in self._down.items():
            for child in children:
                self._up.setdefault(child, []).append(name)

    def named(self, text: str) -> LotName | Refusal:
        """The lot that a person means with MATERIAL|LOT, or with LOT where only one material has it. One that the ledger does
        not know is meant by its whole name: a hold may come before its lot."""
        material, bar, lot = text.partition("|")
        if bar and material and lot:
            return LotName(material, lot)
        known = self.called(text)
        if len(known) == 1:
            return known[0]
        if known:
            return Refusal("NOT_FOUND", f"several materials have a lot {text}: write one of {', '.join(map(str, known))}")
        return Refusal("NOT_FOUND", f"{text} is no lot of this ledger; one that is to come is named MATERIAL|LOT")

    def called(self, text: str) -> list[LotName]:
        """Lots of this name (LOT or MATERIAL|LOT) that have a row of their own or that another one went into."""
        return sorted(name for name in self.rows.keys() | self._up.keys() if text in (name.lot, str(name)))

    def knows(self, name: LotName) -> bool:
        return name in self.rows or name in self._up

    def row(self, name: LotName) -> LotRow | None:
        return self.rows.get(name)

    def parents(self, name: LotName) -> list[LotName]:
        return self._up.get(name, [])

    def children(self, name: LotName) -> list[LotName]:
        return self._down.get(name, [])

    def below(self, starts: Iterable[LotName], depth: int | None = None) -> list[LotReached]:
        """The lots themselves and what they went into, nearest first. `depth`: at most so many edges."""
        return _walked(starts, self._down, depth)

    def above(self, starts: Iterable[LotName], depth: int | None = None) -> list[LotReached]:
        """The lots themselves and what they were made from, nearest first."""
        return _walked(starts, self._up, depth)

    def placed(self) -> Iterator[tuple[Target, HoldState]]:
        """Every entry of a hold where it was placed: on a lot, or on a scope."""
        for name, row in self.rows.items():
            yield from ((name, hold) for hold in row.holds if hold.origin == lots.origin_of(row))
        for scope in self._scopes:
            yield from ((ScopeName(scope.scope, scope.name, one.from_at, one.to_at), one.hold) for one in scope.holds)

    def entry(self, hold: str, target: Target) -> HoldState | None:
        """The entry of a hold that was placed on this very target."""
        if isinstance(target, LotName):
            row = self.rows.get(target)
            return next((one for one in row.holds if (one.hold, one.origin) == (hold, str(target))), None) if row else None
        return next((one for name, one in self.placed() if (name, one.hold) == (target, hold)), None)

    def starts(self, target: Target) -> list[LotName]:
        """Lots that a hold on the target holds at first hand, as far as they are known."""
        if isinstance(target, LotName):
            return [target]
        hold = ScopeHold(HoldState("", 0, True, lots.BLOCK, "", 0), target.from_at, target.to_at)
        members = self._scope_lots.get((target.scope, target.name), [])
        return sorted(LotName(lot.material, lot.lot) for lot in members if scopes.covers(hold, lot))

    def quality(self, name: LotName) -> lots.Quality:
        row = self.rows.get(name)
        return lots.UNKNOWN if row is None else lots.quality(row)


def _walked(starts: Iterable[LotName], edges: Mapping[LotName, list[LotName]], depth: int | None) -> list[LotReached]:
    front = sorted(set(starts))
    seen, found, steps = set(front), [LotReached(name, 0) for name in front], 0
    while front and (depth is None or steps < depth):
        steps += 1
        front = sorted({near for name in front for near in edges.get(name, ())} - seen)
        seen.update(front)
        found += [LotReached(name, steps) for name in front]
    return found
