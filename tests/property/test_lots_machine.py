"""Lots against a slow model: whatever order, duplication and cycles, every lot ends with the highest version of each hold
of all its ancestors; what delivery and the WMS were told last is that state."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from streams.lots import LotsStage
from tables.row_kinds import LOT_ROWS
from tests.unit.streams.quality_bench import MATERIAL, PLANT, edge, placed, released
from tests.unit.streams.test_lots import Lots

LOTS = st.sampled_from("ABCDE")
HOLDS = st.sampled_from(["H1", "H2"])
VERSIONS = st.integers(1, 4)


class LotsMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.bench = Lots()
        self.internal: list[Any] = []
        self.clock = 0
        self.edges: set[tuple[str, str]] = set()
        self.said: set[tuple[str, str, int, bool]] = set()
        self.told: dict[tuple[str, str], Any] = {}

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

    @rule(parent=LOTS, child=LOTS, ahead=st.integers(0, 2))
    def connect(self, parent: str, child: str, ahead: int) -> None:
        self.edges.add((parent, child))
        self.fold(edge(parent, child, self.clock + ahead))

    @rule(data=st.data(), again=st.booleans())
    def deliver_one(self, data: st.DataObject, again: bool) -> None:
        if self.internal:
            at = data.draw(st.integers(0, len(self.internal) - 1))
            self.fold(self.internal[at] if again else self.internal.pop(at))

    @rule()
    def take_over(self) -> None:
        self.bench.stage = LotsStage(self.bench.topology)
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
        best: dict[str, tuple[int, bool]] = {}
        for at, hold, version, active in self.said:
            if at in above:
                best[hold] = max(best.get(hold, (0, False)), (version, active))
        return tuple(sorted(hold for hold, (_, active) in best.items() if active))

    @invariant()
    def others_were_told_the_present_state(self) -> None:
        for lot in "ABCDE":
            holds = self.bench.holds(lot)
            for topic in ("delivery.inbox", "wms.shipment-blocks"):
                told = self.told.get((topic, lot))
                assert (tuple(told.holds) if told else ()) == holds
            row = self.bench.step.rows.get(LOT_ROWS.key(PLANT, MATERIAL, lot))
            assert row is None or row.lot == lot


LotsMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
test_lots = LotsMachine.TestCase
