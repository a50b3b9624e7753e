"""The equipment stage as a state machine: an operator, a machine and a network do anything in any order, and after each tick the
ledger is what the slow model (floor_model) makes of the records that have arrived."""

import itertools
import os
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from schemas.codec import Codec
from schemas.records import (
    EquipmentStateChanged,
    LabourRecorded,
    LotLoaded,
    LotUnloaded,
    MaterialConsumed,
    ReworkDeclared,
    ReworkReturned,
    RunChanged,
    RunCorrected,
    RunEnded,
    RunStarted,
    RunVoided,
    ScrapDeclared,
)
from tables.equipment.destination import Destination
from tests.property import floor_model as model
from tests.property.counter_model import Rule
from tests.property.floor_model import MODULUS, Reading
from tests.unit.streams.floor_stage import Floor, framed
from tests.unit.tables.floor_bench import HOUR, MIN, S, at, configuration, on_machine, out, pieces

EXAMPLES, STEPS = 2_000, 50
DEEP = 10 if os.environ.get("LINELEDGER_DEEP") == "1" else 1
BEGIN, GRACE = at("05:00"), 5 * MIN
RUNS, ORDERS, MATERIALS = ["R1", "R2", "R3"], ["O1", "O2"], ["A", "B"]
COUNTERS = ["shots", "shots", "shots", "rejects", "resin"]
AHEAD = (st.sampled_from([0, 0, 600, 3600]) | st.integers(0, 3 * 3600)).map(lambda seconds: BEGIN + seconds * S)
"""Often the moment of something else: then the order of telling decides."""
OUTPUTS = st.lists(
    st.builds(
        out,
        st.sampled_from(MATERIALS),
        lot=st.sampled_from(["", "L1"]),
        factor=st.integers(0, 3),
        order=st.sampled_from(["", "", *ORDERS]),
    ),
    min_size=1,
    max_size=2,
)


class FloorMachine(RuleBasedStateMachine):
    rules: dict[str, Rule]
    numbered: bool
    expect: ClassVar[dict[str, Any] | None] = None
    """What the plant expects of the one source."""

    @initialize(
        on_fall=st.sampled_from(["reset", "reset+modulus", "placeholder", "placeholder+modulus", "rollover"]),
        seq=st.booleans(),
        first=st.sampled_from([1, 8, 97]),
        shared=st.sampled_from(["factor", "equal", "first"]),
    )
    def plant(self, on_fall: str, seq: bool, first: int, shared: str) -> None:
        """`first`: number of the first event. Ids are texts: e10 comes before e9, and was told after it."""
        kind, _, modulus = on_fall.partition("+")
        shots = {"on_fall": kind, **({"modulus": str(MODULUS)} if modulus or kind == "rollover" else {})}
        resin = {"counts": "consumption", "of": "loaded_lot", "position": "hopper", "unit": "kg", "decimals": "3"}
        counters = {"shots": shots, "rejects": {"counts": "scrap"}, "resin": resin}
        plant: dict[str, Any] = {
            "equipment": {"*": {"counters": counters}},
            "attribution": {"run_grace": "5 min", "shared_time": shared},
        }
        if self.expect is not None:
            plant["sources"] = {
                "s": {"read": {"topic": "raw.p"}, "expect": self.expect, "events": [{"when": {}, "ignore": True}]}
            }
        self.bench, self.numbered, self.shared = Floor(configuration(plant)), seq, shared
        shown = Rule(kind, MODULUS if modulus or kind == "rollover" else 0)
        self.rules = {"shots": shown, "rejects": Rule(), "resin": Rule(consumption=True, absurd=1_000_000)}
        self.numbers, self.moment, self.now = itertools.count(), BEGIN, BEGIN
        self.counts = {"shots": MODULUS - 900, "rejects": 10, "resin": 500}
        self.underway: list[Any] = []  # has happened, has not arrived
        self.arrived: list[Any] = []  # has arrived, once for each time
        self.batch: list[Any] = []
        self.raw = itertools.count()
        self.told = itertools.count(first)

    # -- what happens on the shop floor

    @rule(
        counter=st.sampled_from(COUNTERS),
        kind=st.sampled_from(["rise"] * 5 + ["same", "reset", "zero", "gone", "over", "again"]),
        size=st.integers(1, 400),
        seconds=st.sampled_from([0, 1, 7, 60, 300, 601]),
        back=st.sampled_from([0] * 9 + [1, 30]),
    )
    def read(self, counter: str, kind: str, size: int, seconds: int, back: int) -> None:
        """A reading. `back`: the equipment's clock steps back by these seconds first (sources with sequence only)."""
        self.moment += seconds * S - (back * S if self.numbered else -S)
        count = self.counts[counter]
        if kind in ("rise", "over"):
            count += size if kind == "rise" else 1_000
            rolls = self.rules[counter].modulus or self.rules[counter].on_fall != "reset"
            count %= MODULUS if rolls else 10 * MODULUS
        elif kind == "reset":
            count = size % 7
        elif kind == "again":
            count = 10
        if kind not in ("zero", "gone"):
            self.counts[counter] = count
        value = {"zero": 0, "gone": None}.get(kind, count)
        number = next(self.numbers)  # one sequence for all counters
        self.underway.append(Reading(counter, number if self.numbered else -1, self.moment, value))

    @rule(
        run=st.sampled_from(RUNS),
        order=st.sampled_from(["", *ORDERS]),
        when=AHEAD,
        outputs=OUTPUTS,
        version=st.sampled_from([0, 0, 1, 3]),
    )
    def start(self, run: str, order: str, when: int, outputs: list[Any], version: int) -> None:
        self._happens(RunStarted, when, run=run, order=order, operation="10" if order else "", outputs=outputs, version=version)

    @rule(run=st.sampled_from(RUNS), when=AHEAD, outputs=OUTPUTS, version=st.sampled_from([0, 0, 2]))
    def change(self, run: str, when: int, outputs: list[Any], version: int) -> None:
        self._happens(RunChanged, when, run=run, outputs=outputs, version=version)

    @rule(run=st.sampled_from([*RUNS, ""]), when=AHEAD, version=st.sampled_from([0, 0, 2]))
    def end(self, run: str, when: int, version: int) -> None:
        self._happens(RunEnded, when, run=run, version=version)

    @rule(
        run=st.sampled_from(RUNS),
        when=AHEAD,
        version=st.integers(1, 3),
        order=st.sampled_from(["", *ORDERS]),
        outputs=st.just([]) | OUTPUTS,
        begin=st.none() | AHEAD,
        finish=st.none() | AHEAD,
    )
    def correct(self, run: str, when: int, version: int, order: str, outputs: Any, begin: Any, finish: Any) -> None:
        told = {"order": order, "outputs": outputs, "started_at": begin, "ended_at": finish}
        self._happens(RunCorrected, when, run=run, version=version, **told)

    @rule(run=st.sampled_from(RUNS), when=AHEAD, version=st.integers(1, 3))
    def void(self, run: str, when: int, version: int) -> None:
        self._happens(RunVoided, when, run=run, version=version)

    @rule(lot=st.sampled_from(["", "K1", "K2"]), when=AHEAD)
    def load(self, lot: str, when: int) -> None:
        if lot:
            self._happens(LotLoaded, when, position="hopper", material="PP", lot=lot)
        else:
            self._happens(LotUnloaded, when, position="hopper")

    @rule(state=st.sampled_from(["running", "setup", "down"]), when=AHEAD, micros=st.integers(0, 2_000))
    def state(self, state: str, when: int, micros: int) -> None:
        self._happens(EquipmentStateChanged, when + micros, state=state)

    @rule(person=st.sampled_from("pq"), on=st.booleans(), when=AHEAD, parts=st.integers(1, 3), of=st.integers(1, 7))
    def labour(self, person: str, on: bool, when: int, parts: int, of: int) -> None:
        share = {"share_numerator": parts, "share_denominator": of}
        self._happens(LabourRecorded, when, person=person, action="on" if on else "off", **share)

    @rule(
        cls=st.sampled_from([ScrapDeclared, ReworkDeclared, ReworkReturned, MaterialConsumed]),
        when=AHEAD,
        run=st.sampled_from(["", "", "R1"]),
        order=st.sampled_from(["", "O1"]),
        material=st.sampled_from(["", "A", "PP"]),
        amount=st.integers(-3, 9),
        scrapped=st.booleans(),
    )
    def declare(self, cls: Any, when: int, run: str, order: str, material: str, amount: int, scrapped: bool) -> None:
        fields = {"position": "hopper"} if cls is MaterialConsumed else {}
        if cls is ReworkReturned and scrapped:
            fields["as_kind"] = "scrap"
        # Between the moments of everything else: the model does not know what was told first of a declaration and a run.
        self._happens(cls, when + S // 2, run=run, order=order, material=material, quantity=pieces(amount), **fields)

    def _happens(self, cls: Any, when: int, **fields: Any) -> None:
        number = next(self.told)
        self.underway.append(on_machine(cls, when, event_id=f"e{number}", raw_offset=number, **fields))

    # -- what the network does

    @precondition(lambda self: self.underway)
    @rule(which=st.integers(0, 100), many=st.sampled_from([1, 1, 5, 40]))
    def arrive(self, which: int, many: int) -> None:
        """Some of what is underway arrives: the oldest first, or anything."""
        for _ in range(min(many, len(self.underway))):
            self._arrives(self.underway.pop(0 if many > 1 else which % len(self.underway)))

    @precondition(lambda self: self.arrived)
    @rule(which=st.integers(0, 500))
    def arrive_again(self, which: int) -> None:
        self._arrives(self.arrived[which % len(self.arrived)])

    @precondition(lambda self: self.numbered and any(isinstance(one, Reading) for one in self.arrived))
    @rule(which=st.integers(0, 500), value=st.integers(0, 2_000), later=st.sampled_from([0, 0, 700]))
    def contradict(self, which: int, value: int, later: int) -> None:
        """A known sequence number with another value, perhaps at another time."""
        readings = [one for one in self.arrived if isinstance(one, Reading)]
        known = readings[which % len(readings)]
        self._arrives(known._replace(value=value, at=known.at + later * S))

    def _arrives(self, item: Any) -> None:
        self.arrived.append(item)
        self.batch.append(item)

    @rule()
    def fold(self) -> None:
        """A batch ends anywhere."""
        records: list[Any] = []
        frames: list[Reading] = []

        def close() -> None:
            if frames:
                plain = [one[1:] for one in frames]
                first = next(itertools.islice(self.raw, len(frames) - 1, None)) - len(frames) + 1
                records.append(framed(plain, self.now + MIN, first_raw=first, counter=frames[0].counter))
                frames.clear()

        for item in self.batch:
            if isinstance(item, Reading):
                if frames and frames[0].counter != item.counter:
                    close()
                frames.append(item)
                continue
            close()
            item.label = self.now + MIN
            records.append(item)
        close()
        self.bench.fold(*records)
        self.batch = []

    @rule()
    def take_over(self) -> None:
        """Another process goes on from the rows, as they are stored."""
        self.fold()
        codec = Codec()
        for key, row in list(self.bench.step.rows.scan("")):
            self.bench.step.rows.put(key, codec.decode(codec.encode(row)))
        self.bench.restart()

    @rule(minutes=st.sampled_from([1, 30, 600]))
    def tick(self, minutes: int) -> None:
        self.fold()
        before, self.now = self.now, self.now + (minutes if self.now < BEGIN + 30 * HOUR else 1) * MIN
        self.bench.fold(self.bench.upstream_tick(self.now))
        self.bench.published()
        self.agrees()
        if any(before < cut <= self.now for cut in (at("06:00"), at("14:00"), at("22:00"), at("06:00", 21), at("14:00", 21))):
            times = model.times(self._events(), self.now, GRACE, self.shared)
            assert self._times() == times, "all activities are measured at the end of a shift"

    def _events(self) -> list[Any]:
        return list({one.event_id: one for one in self.arrived if not isinstance(one, Reading)}.values())

    def agrees(self) -> None:
        """The ledger is what the model makes of what arrived."""
        readings = [one for one in self.arrived if isinstance(one, Reading)]
        assert self._held() == model.totals(readings, self._events(), self.rules, GRACE)

    def teardown(self) -> None:
        if hasattr(self, "bench"):
            self.tick(1)
            readings = [one for one in self.arrived if isinstance(one, Reading)]
            letters = [letter.code for letter in self.bench.step.take("exceptions")]
            assert letters == ["SEQ_CONFLICT"] * model.conflicts(readings)

    # -- what is held

    def _held(self) -> dict[model.Key, int]:
        """What orders would hold; and what the equipment keeps because nobody's order is known."""
        found: dict[model.Key, int] = {}

        def add(key: model.Key, amount: int) -> None:
            found[key] = found.get(key, 0) + amount

        for one in self.bench.known.values():
            if not one.kind.endswith("_time"):
                base = (one.run, one.order, one.operation, one.material, one.lot)
                add((*base, one.kind, one.reason, one.component_lot, one.business_date), one.numerator)
        row = self.bench.row()
        for text, total in row.totals.items() if row is not None else ():
            to = Destination.parse(text)
            if to.kind == "unattributed" or (not to.order and not to.kind.endswith("_time")):
                base = (to.run, to.order, to.operation, to.material, to.lot)
                add((*base, to.kind, to.reason, to.component_lot, to.business_date), total.amount)
        return {key: amount for key, amount in found.items() if amount}

    def _times(self) -> dict[tuple[str, str, str, str], int]:
        row, found = self.bench.row(), dict[tuple[str, str, str, str], int]()
        for text, total in row.totals.items() if row is not None else ():
            to = Destination.parse(text)
            if to.kind.endswith("_time") and total.amount:
                key = (to.run, to.order, to.kind, to.business_date)
                found[key] = found.get(key, 0) + total.amount
        return found


@pytest.mark.parametrize("part", range(4))
def test_steps(part: int) -> None:
    """In four parts, so that they can be spread over processes; together EXAMPLES examples of up to STEPS steps."""
    run_state_machine_as_test(
        FloorMachine,
        settings=settings(max_examples=DEEP * EXAMPLES // 4, stateful_step_count=STEPS, database=None),
    )
