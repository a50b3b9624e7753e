"""Lots against a slow model: whatever order, duplication and cycles, every lot ends with the highest version of each hold of
each of its ancestors and of the equipment that they were made on in its time, without what exempts it and what was accepted; what
delivery and the WMS were told last is that state."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from schemas.records import HoldExempted, HoldPlaced, HoldReleased, InspectionRecorded
from streams.lots.stage import LotsStage
from tables.row_kinds import LOT_ROWS
from tests.unit.streams.quality_bench import MATERIAL, PLANT, decided, edge, event, placed, released
from tests.unit.streams.test_lots import Lots
from tests.unit.streams.test_scopes import made, scoped

LOTS = st.sampled_from("ABCDE")
HOLDS = st.sampled_from(["H1", "H2"])
VERSIONS = st.integers(1, 4)
SCOPE = st.sampled_from(["M1", "M2"])
SPAN = st.tuples(st.integers(1, 6), st.integers(1, 6)).filter(lambda span: span[0] <= span[1] or span[1] < 2)
"""The second of a span that never was is earlier than the first."""


class LotsMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.bench = Lots(recorded=True)
        self.internal: list[Any] = []
        self.clock = 0
        self.edges: set[tuple[str, str]] = set()
        self.said: set[tuple[str, str, int, bool]] = set()
        self.exempt: set[tuple[str, str, int, bool]] = set()
        self.failed: set[tuple[str, str, int]] = set()
        self.judged: set[tuple[str, int, bool]] = set()
        self.told: dict[tuple[str, str], Any] = {}
        self.made: dict[tuple[str, str, str], tuple[int, int, int]] = {}
        self.ranged: set[tuple[str, int, int, str, int, bool]] = set()
        self.versions = 0

    def collect(self) -> None:
        for sent in self.bench.step.sent:
            if sent.topic == "lots.inbox":
                self.internal.append(sent.record)
            elif sent.topic in ("delivery.inbox", "wms.shipment-blocks") and hasattr(sent.record, "holds"):
                self.told[sent.topic, sent.record.lot] = sent.record
        self.bench.step.sent.clear()

    def fold(self, *records: Any) -> None:
        self.bench.fold(*records)
        self.collect()

    @rule(lot=LOTS, hold=HOLDS, version=VERSIONS, active=st.booleans(), ahead=st.integers(0, 2))
    def decide(self, lot: str, hold: str, version: int, active: bool, ahead: int) -> None:
        self.said.add((lot, hold, version, active))
        self.fold((placed if active else released)(lot, hold, version, self.clock + ahead))

    @rule(lot=LOTS, hold=HOLDS, version=VERSIONS, revoked=st.booleans(), ahead=st.integers(0, 2))
    def exempt_lot(self, lot: str, hold: str, version: int, revoked: bool, ahead: int) -> None:
        self.exempt.add((lot, hold, version, revoked))
        self.fold(event(HoldExempted, lot, self.clock + ahead, hold=hold, version=version, revoked=revoked))

    @rule(lot=LOTS, inspection=st.sampled_from(["I1", "I2"]), verdict=st.sampled_from(["pass", "fail"]), at=VERSIONS)
    def inspect(self, lot: str, inspection: str, verdict: str, at: int) -> None:
        if verdict == "fail":
            self.failed.add((lot, inspection, at))
        told = {"inspection": inspection, "verdict": verdict, "occurred_at": at}
        self.fold(event(InspectionRecorded, lot, self.clock, **told))

    @rule(lot=LOTS, disposition=st.sampled_from(["accept", "reject"]), at=VERSIONS)
    def judge(self, lot: str, disposition: str, at: int) -> None:
        self.judged.add((lot, at, disposition != "accept"))
        self.fold(decided(lot, disposition, at, self.clock))

    @rule(parent=LOTS, child=LOTS, ahead=st.integers(0, 2))
    def connect(self, parent: str, child: str, ahead: int) -> None:
        self.edges.add((parent, child))
        self.fold(edge(parent, child, self.clock + ahead))

    @rule(scope=SCOPE, lot=LOTS, part=st.sampled_from("pq"), span=SPAN, late=st.booleans())
    def make(self, scope: str, lot: str, part: str, span: tuple[int, int], late: bool) -> None:
        """When the lot was made there; `late`: an older statement about it comes afterwards."""
        self.versions += 1
        self.made[scope, lot, part] = (self.versions, *span)
        self.fold(made("equipment", scope, lot, *span, self.versions, part))
        if late:
            self.fold(made("equipment", scope, lot, 0, 9, self.versions - 1, part))

    @rule(scope=SCOPE, span=SPAN, hold=HOLDS, version=VERSIONS, active=st.booleans())
    def decide_of_a_scope(self, scope: str, span: tuple[int, int], hold: str, version: int, active: bool) -> None:
        span = min(span), max(span)
        self.ranged.add((scope, *span, hold, version, active))
        record = scoped(HoldPlaced if active else HoldReleased, "equipment", scope, version, *span)
        record.hold = hold
        self.fold(record)

    @rule(data=st.data(), again=st.booleans())
    def deliver_one(self, data: st.DataObject, again: bool) -> None:
        if self.internal:
            at = data.draw(st.integers(0, len(self.internal) - 1))
            self.fold(self.internal[at] if again else self.internal.pop(at))

    @rule()
    def take_over(self) -> None:
        self.bench.stage = LotsStage(self.bench.topology, self.bench.recorded)
        self.bench.stage.taken_over(self.bench.step)

    @rule()
    def come_to_rest(self) -> None:
        self.clock += 2
        self.bench.clock(self.clock)
        self.collect()
        steps = 0
        while self.internal:
            self.fold(self.internal.pop())
            steps += 1
            assert steps < 2_000, "forwarding does not come to rest"
        for lot in "ABCDE":
            assert self.bench.holds(lot) == self.expected(lot), lot

    def expected(self, lot: str) -> tuple[str, ...]:
        above, grown = {lot}, True
        while grown:
            more = {parent for parent, child in self.edges if child in above} - above
            above, grown = above | more, bool(more)
        best: dict[tuple[str, str], tuple[int, bool]] = {}
        for at, hold, version, active in self.said:
            if at in above:
                best[at, hold] = max(best.get((at, hold), (0, False)), (version, active))
        for scope, start, end, hold, version, active in self.ranged:
            if any(
                (at, lot in above) == (scope, True) and first <= last and first <= end and last >= start
                for (at, lot, _), (_, first, last) in self.made.items()
            ):
                entry = f"{scope}@{start}/{end}", hold
                best[entry] = max(best.get(entry, (0, False)), (version, active))
        held = {hold for (_, hold), (_, active) in best.items() if active}
        exempt: dict[str, tuple[int, bool]] = {}
        for at, hold, version, revoked in self.exempt:
            if at == lot:
                exempt[hold] = max(exempt.get(hold, (0, False)), (version, revoked))
        held -= {hold for hold, (_, revoked) in exempt.items() if not revoked}
        for at in above:
            judged, rejected = max((entry[1:] for entry in self.judged if entry[0] == at), default=(0, True))
            held |= {f"disposition:{MATERIAL}|{at}"} if judged and rejected else set()
            for inspection in ("I1", "I2"):
                failed = max((when for piece, name, when in self.failed if (piece, name) == (at, inspection)), default=0)
                held |= {f"inspection:{inspection}:{MATERIAL}|{at}"} if failed and (rejected or judged <= failed) else set()
        return tuple(sorted(held))

    @invariant()
    def others_were_told_the_present_state(self) -> None:
        for lot in "ABCDE":
            holds = self.bench.holds(lot)
            for topic in ("delivery.inbox", "wms.shipment-blocks"):
                told = self.told.get((topic, lot))
                assert (tuple(told.holds) if told else ()) == holds
            row = self.bench.step.rows.get(LOT_ROWS.key(PLANT, MATERIAL, lot))
            assert row is None or row.lot == lot


LotsMachine.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
test_lots = LotsMachine.TestCase
