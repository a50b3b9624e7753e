"""Holds on an equipment, an order, a run or a supplier's lot, and the lots that came from there. A scope is no lot: it has a row
of its own, each lot of it another one, so that there is no limit to how many they are."""

from collections.abc import Iterator

from schemas.records import HoldForwarded, HoldPlaced, HoldReleased, LotMade, PlantRow, ScopeLotRow, ScopeRow
from schemas.topics import LOTS_INBOX
from streams.step import Step
from tables import scopes
from tables.clock_times import lowered
from tables.due_index import DueIndex
from tables.row_kinds import SCOPE_LOT_ROWS, SCOPE_MARK_ROWS, SCOPE_ROWS
from tables.rows import nothing


class Scopes:
    """Of one partition. Only an index of times is in memory."""

    def __init__(self) -> None:
        self._forget, self._keep_us = DueIndex(), SCOPE_LOT_ROWS.keep_us

    def remember(self, step: Step) -> Iterator[None]:
        for page in step.rows.pages(SCOPE_MARK_ROWS.prefix, nothing):
            for mark, _ in page:
                at, _, bare = SCOPE_MARK_ROWS.bare(mark).partition("|")
                self._forget.put(bare.partition("|")[0], SCOPE_LOT_ROWS.key(bare), int(at))
            yield

    def hold(self, step: Step, record: HoldPlaced | HoldReleased, label: int) -> None:
        """Keep it, and tell every lot that is known to come from there. Raises LotFull."""
        place = record.plant, record.scope, record.lot
        known = SCOPE_ROWS.find(step.rows, *place)
        row = ScopeRow(*place, list(known.holds)) if known else ScopeRow(*place)
        if not scopes.receive_hold(row, scopes.hold_of(record)):
            return
        step.rows.put(SCOPE_ROWS.key(*place), row)
        for key, lot in list(SCOPE_LOT_ROWS.scan(step.rows, *place)):
            if (lot.plant, lot.scope, lot.name) == place:
                self._tell(step, key, row, lot, label)

    def made(self, step: Step, record: LotMade, label: int) -> None:
        """A lot came from there; it is told of the holds that stop it. Raises LotFull."""
        place = record.plant, record.scope, record.name
        key = SCOPE_LOT_ROWS.key(*place, record.material, record.lot)
        lot = step.rows.get(key) or ScopeLotRow(*place, record.material, record.lot)
        if scopes.receive_span(lot, record):
            self._tell(step, key, SCOPE_ROWS.find(step.rows, *place) or ScopeRow(*place), lot, label)

    def _tell(self, step: Step, key: str, scope: ScopeRow, lot: ScopeLotRow, label: int) -> None:
        for hold in scopes.news(scope, lot, label):
            told = HoldForwarded(
                lot.plant, lot.material, lot.lot, hold.hold, hold.version, hold.active, hold.origin, hold.label, hold.severity
            )
            step.emit(LOTS_INBOX, f"{lot.plant}|{lot.material}|{lot.lot}", told)
        lot.touched_at = max(lot.touched_at, label)
        step.rows.put(key, lot)
        self._mark(step, key, lot)

    # -- forgetting

    def _mark(self, step: Step, key: str, lot: ScopeLotRow) -> None:
        known, at = self._forget.next_of(lot.plant, key), scopes.forget_at(lot, self._keep_us)
        if known == at:
            return
        if known is not None:
            step.rows.delete(_mark_key(key, known))
        self._forget.put(lot.plant, key, at)
        if at is not None:
            step.rows.put(_mark_key(key, at), PlantRow(lot.plant, at))

    def forget(self, step: Step, plant: str, now: int, most: int) -> None:
        """Drop what nothing was said of for long, at most so many."""
        for key, at in self._forget.take(plant, now, most).items():
            step.rows.delete(_mark_key(key, at))
            step.rows.delete(key)

    def lower(self, step: Step, plant: str, at: int) -> None:
        """The plant's clock was set back to `at`."""
        for key in self._forget.later_than(plant, at + self._keep_us):
            lot: ScopeLotRow = step.rows.get(key)
            if lowered(lot, at):
                step.rows.put(key, lot)
                self._mark(step, key, lot)


def _mark_key(key: str, at: int) -> str:
    return SCOPE_MARK_ROWS.key(f"{at:020d}", SCOPE_LOT_ROWS.bare(key))
