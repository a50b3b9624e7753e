"""The index over the postings of one partition of delivery: what is due, what may go next, who waits for what.

Held in memory only and derived from the rows alone, so a take-over builds the same.
"""

import heapq
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from schemas.records import LotStateRow, PostingRow
from tables.delivery.hold_gate import lot_of
from tables.delivery.posting_state import (
    ACCEPTED,
    CANCELLED,
    FOREIGN,
    IN_FLIGHT,
    QUEUED,
    RETRY,
    WAITING_CLOCK,
    waits_for_decision,
)
from tables.tally import Oldest, Tally

SPARE_READY_ENTRIES = 1_000

K = TypeVar("K")


class Turn(NamedTuple):
    """Order within a lane. The final posting of an operation goes after the others of its cut."""

    cut: int
    final: bool
    account: str
    sequence: int
    posting_id: str


def turn(row: PostingRow) -> Turn:
    posting = row.posting
    return Turn(posting.cut, posting.final, posting.account, posting.sequence, posting.posting_id)


def lane_of(row: PostingRow) -> str:
    """What the ERP would lock: the order. One call at a time."""
    return f"{row.posting.plant}|{row.posting.order}"


@dataclass(slots=True)
class _Lane:
    queued: list[Turn] = field(default_factory=list)
    in_flight: set[str] = field(default_factory=set)

    @property
    def rank(self) -> tuple[int, Turn]:
        """Lanes with an operation to finish first, then by the oldest cut."""
        return (0 if any(entry.final for entry in self.queued) else 1), self.queued[0]


class Backlog:
    def __init__(self, rows: Iterable[PostingRow] = ()) -> None:
        self.busy: set[str] = set()
        """Lanes with a call that is on its way, or may be."""
        self._lanes: dict[str, _Lane] = defaultdict(_Lane)
        self._ready: list[tuple[tuple[int, Turn], str]] = []
        self._waiting: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self._counted: dict[str, tuple[str, str, str]] = {}
        """Posting -> plant, endpoint, state."""
        self._figures: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self._of_lot: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        self._of_account: dict[str, dict[str, int]] = defaultdict(dict)
        self._behind_gate: dict[str, set[str]] = defaultdict(set)
        """Plant -> postings that its hold policy, or what is before them, keeps from being queued."""
        self._held_lots: dict[str, set[tuple[str, str]]] = defaultdict(set)
        """Plant -> material and lot of each lot that is on hold, or was."""
        self._foreign: dict[str, set[str]] = defaultdict(set)
        self.states: Tally[tuple[str, str, str]] = Tally()
        """(plant, state, code) of the postings that are not in the ERP."""
        self._oldest: dict[str, Oldest] = defaultdict(Oldest)
        for row in rows:
            self.place(row)

    def note(self, row: PostingRow) -> None:
        """Count the row where it is; called whenever it is kept."""
        posting, name = row.posting, row.posting.posting_id
        open_ = row.state != ACCEPTED
        self.states.put(name, (posting.plant, row.state, row.code) if open_ else None)
        self._oldest[posting.plant].put(name, posting.cut if open_ and row.state != CANCELLED else None)

    def oldest(self) -> dict[str, int]:
        """Plant -> cut of its oldest posting that the ERP should have and does not."""
        found = {plant: oldest.at for plant, oldest in self._oldest.copy().items()}
        return {plant: at for plant, at in found.items() if at is not None}

    def place(self, row: PostingRow) -> None:
        """Take the row's state in; called after each change of it."""
        self.note(row)
        posting = row.posting
        name, plant, lot_key = posting.posting_id, posting.plant, (posting.plant, *lot_of(posting))
        self._count(name, (plant, posting.endpoint, row.state))
        if row.state == ACCEPTED:
            self._discard(self._of_lot, lot_key, name)
            self._of_account[posting.account].pop(name, None)
            if not self._of_account[posting.account]:
                del self._of_account[posting.account]
        else:
            self._of_lot[lot_key].add(name)
            self._of_account[posting.account][name] = posting.sequence
        if waits_for_decision(row) and row.state != QUEUED:
            self._behind_gate[plant].add(name)
        else:
            self._discard(self._behind_gate, plant, name)
        if row.state == RETRY and row.code == FOREIGN:
            self._foreign[plant].add(name)
        elif name in self._foreign.get(plant, ()):
            self._discard(self._foreign, plant, name)
            if plant not in self._foreign:
                self.wake(plant)
        if row.state == WAITING_CLOCK:
            heapq.heappush(self._waiting[plant], (posting.cut, name))
        self._place_in_lane(row)

    def accepted(self, name: str, plant: str, endpoint: str) -> None:
        """What `place` does with an accepted posting, for one whose row is not read."""
        self._count(name, (plant, endpoint, ACCEPTED))

    def forget(self, row: PostingRow) -> None:
        """Its row goes. Only of one that ended: it is in no lane, and nothing waits for it."""
        posting = row.posting
        name, account = posting.posting_id, posting.account
        self._count(name, None)
        self.states.put(name, None)
        self._oldest[posting.plant].put(name, None)
        self._discard(self._of_lot, (posting.plant, *lot_of(posting)), name)
        self._discard(self._behind_gate, posting.plant, name)
        if name in self._of_account.get(account, ()):
            del self._of_account[account][name]
            if not self._of_account[account]:
                del self._of_account[account]

    def lot(self, row: LotStateRow) -> None:
        """The newest state of a lot."""
        if row.held or any(change.held for change in row.changes):
            self._held_lots[row.plant].add((row.material, row.lot))

    def forget_lot(self, row: LotStateRow) -> None:
        self._held_lots[row.plant].discard((row.material, row.lot))

    def figures(self, plant: str) -> list[tuple[str, Counter[str]]]:
        """How many of the plant's postings that are kept are in which state, by endpoint."""
        return sorted((endpoint, count) for (name, endpoint), count in self._figures.items() if name == plant)

    def _count(self, name: str, now: tuple[str, str, str] | None) -> None:
        before = self._counted.get(name)
        if before is not None:
            self._figures[before[:2]][before[2]] -= 1
        if now is None:
            self._counted.pop(name, None)
        else:
            self._counted[name] = now
            self._figures[now[:2]][now[2]] += 1

    def _place_in_lane(self, row: PostingRow) -> None:
        name, key, entry = row.posting.posting_id, lane_of(row), turn(row)
        lane = self._lanes[key]
        at = bisect_left(lane.queued, entry)
        listed = at < len(lane.queued) and lane.queued[at] == entry
        if row.state == QUEUED and not listed:
            insort(lane.queued, entry)
        elif row.state != QUEUED and listed:
            del lane.queued[at]
        (lane.in_flight.add if row.state in IN_FLIGHT else lane.in_flight.discard)(name)
        (self.busy.add if lane.in_flight else self.busy.discard)(key)
        if not lane.queued and not lane.in_flight:
            del self._lanes[key]
        else:
            self._offer(key, lane)

    def _offer(self, key: str, lane: _Lane) -> None:
        if lane.in_flight or not lane.queued:
            return
        heapq.heappush(self._ready, (lane.rank, key))
        if len(self._ready) > 4 * len(self._lanes) + SPARE_READY_ENTRIES:
            self._ready = [(one.rank, name) for name, one in self._lanes.items() if one.queued and not one.in_flight]
            heapq.heapify(self._ready)

    def next(self, eligible: Callable[[str], bool]) -> str | None:
        """The posting whose turn it is. A lane in which nothing is eligible is passed over until something in it changes."""
        while self._ready:
            rank, key = heapq.heappop(self._ready)
            lane = self._lanes.get(key)
            if lane is None or lane.in_flight or not lane.queued or lane.rank != rank:
                continue
            for entry in lane.queued:
                if eligible(entry.posting_id):
                    self._offer(key, lane)
                    return entry.posting_id
        return None

    def behind(self, row: PostingRow) -> list[str]:
        """The queued postings of its lane, in their order, without itself."""
        lane = self._lanes.get(lane_of(row))
        return [entry.posting_id for entry in lane.queued if entry.posting_id != row.posting.posting_id] if lane else []

    def beside(self, row: PostingRow) -> list[str]:
        """The other postings of its lane that are on their way, or may be."""
        lane = self._lanes.get(lane_of(row))
        return sorted(lane.in_flight - {row.posting.posting_id}) if lane else []

    def wake(self, plant: str) -> None:
        """Something about the whole plant changed: offer its lanes again."""
        for key, lane in self._lanes.items():
            if key.startswith(plant + "|"):
                self._offer(key, lane)

    def is_elsewhere(self, plant: str) -> bool:
        """The worker has just refused to call the plant's ERP: the postings that it gave back ask again, the others wait."""
        return plant in self._foreign

    def reached(self, plant: str, now: int) -> list[str]:
        """Postings whose cut the clock has reached, oldest cut first; each is told once."""
        return self._up_to(self._waiting[plant], now)

    def of_lot(self, plant: str, material: str, lot: str) -> list[str]:
        return sorted(self._of_lot.get((plant, material, lot), ()))

    def under_the_policy(self, plant: str) -> list[str]:
        """Of which another hold policy may decide otherwise: what it keeps back, what is of a lot on hold, what is on its way.
        Everything else that is queued goes out, whatever it says."""
        found = set(self._behind_gate.get(plant, ()))
        for material, lot in self._held_lots.get(plant, ()):
            found |= self._of_lot.get((plant, material, lot), set())
        for key in self.busy:
            if key.startswith(plant + "|"):
                found |= self._lanes[key].in_flight
        return sorted(found)

    def before(self, account: str, sequence: int) -> list[str]:
        """Open postings of the account with a smaller sequence, ascending."""
        return [name for at, name in self._account(account) if at < sequence]

    def after(self, account: str, sequence: int) -> list[str]:
        """Open postings of the account with a greater sequence, ascending."""
        return [name for at, name in self._account(account) if at > sequence]

    def _account(self, account: str) -> list[tuple[int, str]]:
        return sorted((sequence, name) for name, sequence in self._of_account.get(account, {}).items())

    @staticmethod
    def _up_to(heap: list[tuple[int, str]], limit: int) -> list[str]:
        taken = []
        while heap and heap[0][0] <= limit:
            taken.append(heapq.heappop(heap)[1])
        return taken

    @staticmethod
    def _discard(index: dict[K, set[str]], key: K, name: str) -> None:
        names = index.get(key)
        if names is not None:
            names.discard(name)
            if not names:
                del index[key]
