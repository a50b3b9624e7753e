"""The index over the postings of one partition of delivery: what is due, what may go next, who waits for what.

Held in memory only and derived from the rows alone, so a take-over builds the same.
"""

import heapq
from bisect import bisect_left, insort
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from zlib import crc32

from schemas.records import LotStateRow, PostingRow
from tables.delivery.hold_gate import lot_of
from tables.delivery.posting_state import (
    ACCEPTED,
    CANCELLED,
    DISPATCHED,
    FOREIGN,
    IN_FLIGHT,
    QUEUED,
    RETRY,
    UNKNOWN,
    WAITING_CLOCK,
    waits_for_decision,
)
from tables.delivery.scopes import LANE, MATERIAL, suspected
from tables.delivery.tiers import COMPLETION, HOLDS, REST, Rank, Tiers, Turn
from tables.tally import Oldest, Tally

SPARE_READY_ENTRIES = 1_000
MOST_ANSWERED_LANES = 10_000
MOST_UNKNOWN_LANES = 1_000
"""Beyond it nothing new is dispatched: an ERP that answers nobody makes no more than so many postings unknown."""

K = TypeVar("K")


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
    ordinary: set[str] = field(default_factory=set)
    """Dispatched, and nothing is known against them."""
    unknown: set[str] = field(default_factory=set)
    locked: set[str] = field(default_factory=set)
    """What found the lane locked and waits: nothing else of it is tried."""

    @property
    def empty(self) -> bool:
        return not (self.queued or self.in_flight or self.locked)

    @property
    def rests(self) -> bool:
        return bool(self.in_flight or self.locked)

    of_holds: set[str] = field(default_factory=set)
    """Queued, of lots that are on hold or were."""

    @property
    def rank(self) -> Rank:
        """Its tier, and within it the oldest cut."""
        tier = HOLDS if self.of_holds else COMPLETION if any(entry.final for entry in self.queued) else REST
        return tier, self.queued[0]


class Backlog:
    def __init__(self, rows: Iterable[PostingRow] = ()) -> None:
        self.busy: set[str] = set()
        """Lanes with a call that is on its way, or may be."""
        self.windowed: set[str] = set()
        """Lanes with a call of which nothing is known but that it was handed to the executor: what the window counts. One whose
        outcome is unknown, or that was locked, waits by itself and takes no place of others."""
        self.unknown: set[str] = set()
        """Lanes of which nobody knows whether an earlier call was booked."""
        self._locked_materials: dict[tuple[str, str], set[str]] = defaultdict(set)
        """Plant and material -> postings that found it locked; the others wait until one of them got through."""
        self._lanes: dict[str, _Lane] = defaultdict(_Lane)
        self._ready: Tiers[str] = Tiers()
        self._proven: list[tuple[Rank, str]] = []
        """Of `_ready`, those whose last call was answered."""
        self._mixed: list[tuple[int, str]] = []
        """Of `_ready`, in an order that has nothing to do with their age."""
        self._oldest_first = True
        self._answered: OrderedDict[str, None] = OrderedDict()
        """Lanes whose last call was answered."""
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
        self._place_material(row)

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
        states = (
            (lane.of_holds, row.state == QUEUED and lot_of(row.posting) in self._held_lots.get(row.posting.plant, ())),
            (lane.in_flight, row.state in IN_FLIGHT),
            (lane.ordinary, row.state == DISPATCHED and not suspected(row)),
            (lane.unknown, row.state == UNKNOWN or (row.state == DISPATCHED and row.unresolved > 0)),
            (lane.locked, row.state == RETRY and row.scope == LANE),
        )
        for names, belongs in states:
            (names.add if belongs else names.discard)(name)
        if row.state == ACCEPTED:
            self._answered[key] = None
            if len(self._answered) > MOST_ANSWERED_LANES:
                self._answered.popitem(last=False)
        elif row.state == UNKNOWN or name in lane.locked:
            self._answered.pop(key, None)
        for keys, names in ((self.busy, lane.in_flight), (self.windowed, lane.ordinary), (self.unknown, lane.unknown)):
            (keys.add if names else keys.discard)(key)
        if lane.empty:
            del self._lanes[key]
        else:
            self._offer(key, lane)

    def _place_material(self, row: PostingRow) -> None:
        key, name = (row.posting.plant, row.posting.material), row.posting.posting_id
        if row.scope == MATERIAL and row.state in (RETRY, QUEUED, *IN_FLIGHT):
            self._locked_materials[key].add(name)
        elif name in self._locked_materials.get(key, ()):
            self._discard(self._locked_materials, key, name)
            if key not in self._locked_materials:
                self.wake(row.posting.plant)

    def locked_for(self, row: PostingRow) -> bool:
        """Another posting found its material locked and has not got through yet."""
        waiting = self._locked_materials.get((row.posting.plant, row.posting.material), ())
        return bool(waiting) and row.posting.posting_id not in waiting

    def proven(self, row: PostingRow) -> bool:
        return lane_of(row) in self._answered

    def room(self, window: int) -> str:
        """Who may be dispatched now: `any`, `proven` (lanes that answered the last time) or nobody, an empty text.

        While there are lanes that do not answer, one place in four is for those that did: lanes that nobody has tried yet may
        turn out to hang, too, and must not take the whole window.
        """
        if len(self.windowed) >= window or len(self.unknown) >= MOST_UNKNOWN_LANES:
            return ""
        untried = sum(key not in self._answered for key in self.windowed) if self.unknown else 0
        return "proven" if untried >= max(1, window - window // 4) else "any"

    def _offer(self, key: str, lane: _Lane) -> None:
        if lane.rests or not lane.queued:
            return
        self._ready.push(lane.rank, key)
        heapq.heappush(self._mixed, (crc32(key.encode()), key))
        if key in self._answered:
            heapq.heappush(self._proven, (lane.rank, key))
        if max(len(self._ready), len(self._mixed), len(self._proven)) > 4 * len(self._lanes) + SPARE_READY_ENTRIES:
            offered = [(one.rank, name) for name, one in self._lanes.items() if one.queued and not one.rests]
            self._ready.refill(offered)
            self._proven = sorted(entry for entry in offered if entry[1] in self._answered)
            self._mixed = sorted((crc32(name.encode()), name) for _, name in offered)

    def next(self, eligible: Callable[[str], bool], room: str = "any") -> str | None:
        """The posting whose turn it is, of those that there is `room` for. A lane in which nothing is eligible is passed over
        until something in it changes.

        While there are lanes that do not answer, every second turn has nothing to do with age: if all the oldest ones hang, the
        others are not found out after them.
        """
        while room:
            self._oldest_first = not (self._oldest_first and room == "any" and self.unknown)
            if room == "proven":
                entry = self._popped(self._proven)
            else:
                entry = self._ready.pop(self._waits) if self._oldest_first else self._popped(self._mixed)
            if entry is None:
                return None
            lane = self._lanes[entry]
            for turn_ in lane.queued:
                if eligible(turn_.posting_id):
                    self._offer(entry, lane)
                    return turn_.posting_id
        return None

    def _popped(self, heap: list[tuple[Any, str]]) -> str | None:
        """The next lane of the heap that may have a call."""
        while heap:
            rank, key = heapq.heappop(heap)
            if self._waits(key, None if heap is self._mixed else rank):
                return key
        return None

    def _waits(self, key: str, rank: Rank | None) -> bool:
        """The lane may have a call, and (None: or) has this rank still."""
        lane = self._lanes.get(key)
        return lane is not None and not lane.rests and bool(lane.queued) and rank in (None, lane.rank)

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
