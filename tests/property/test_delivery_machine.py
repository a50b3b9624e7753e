"""Delivery against a slow model of an ERP: postings, holds, ticks, outcomes in any order, crashes at any point.

Each posting is effective at most once, nothing is lost, no attempt goes out in a form that the hold policy forbids at its
recorded position, no correction overtakes, and states change only along the table (`move` asserts each step).
"""

from collections import Counter
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from schemas.records import AttemptEnded, TimerFired
from tables.delivery.hold_gate import gate
from tables.delivery.outbox import Dispatch, ReadBack, Timer
from tests.unit.streams.quality_bench import Bench, S, configuration, lot_state, posting
from tests.unit.streams.test_delivery_decisions import decision

ANSWERS = st.sampled_from(["post", "into_blocked_stock", "wait", "block"])
LOTS = ("L1", "L2")
BEHAVIOURS = (
    "booked", "busy", "lane", "material", "refused", "booked, no answer", "late, no answer", "lost, no answer"
)  # fmt: skip


class Erp:
    """Books lines; calls without an answer may be booked later."""

    def __init__(self, idempotent: bool) -> None:
        self.idempotent = idempotent
        self.booked: dict[str, list[str]] = {}
        self.late: list[str] = []
        self._documents = Counter[str]()

    def book(self, name: str) -> tuple[str, bool]:
        """(document, duplicate)"""
        lines = self.booked.setdefault(name, [])
        if lines and self.idempotent:
            return lines[0], True
        self._documents[name] += 1
        lines.append(f"{name}-{self._documents[name]}")
        return lines[-1], False


class DeliveryMachine(RuleBasedStateMachine):
    @initialize(
        idempotent=st.booleans(),
        receipt=ANSWERS,
        consumption=ANSWERS,
        concurrency=st.integers(1, 2),
        lines=st.sampled_from([1, 2, 50]),
    )
    def begin(self, idempotent: bool, receipt: str, consumption: str, concurrency: int, lines: int) -> None:
        endpoint = {"adapter": "sim", "idempotent": idempotent, "concurrency": concurrency, "lines_per_document": lines}
        self.config = configuration(
            erp={"erp": endpoint}, rules={"on_hold": {"receipt": receipt, "consumption": consumption, "scrap": "wait"}}
        )
        self.bench, self.erp, self.window = Bench(self.config), Erp(idempotent), 2 * concurrency
        self.entries: list[Any] = []
        self.outcomes: list[Any] = []
        self.sequences = Counter[str]()
        self.postings: dict[str, Any] = {}
        self.mismatched: set[str] = set()
        self.holds: list[tuple[int, str, bool]] = []
        self.now = 0
        self.accepted: set[str] = set()

    def fold(self, *records: Any) -> None:
        self.entries += self.bench.fold(*records)

    # -- what comes in

    @rule(
        order=st.sampled_from(["O1", "O2"]),
        kind=st.sampled_from(["yield", "consumption", "scrap"]),
        lot=st.sampled_from(LOTS),
        amount=st.sampled_from([5, -1]),
        ahead=st.sampled_from([0, 0, 0, 1]),
        final=st.booleans(),
    )
    def post(self, order: str, kind: str, lot: str, amount: int, ahead: int, final: bool) -> None:
        account = f"{order}/{kind}/{lot}"
        self.sequences[account] += 1
        n = self.sequences[account]
        name = f"{account}#{n}"
        key = {"account": account, "order": order, "kind": kind, "lot": lot, "sequence": n}
        self.postings[name] = posting(name, **key, amount=amount, cut=self.now + ahead * S, final=final)
        self.fold(self.postings[name])

    @rule(data=st.data(), other=st.booleans())
    def post_again(self, data: st.DataObject, other: bool) -> None:
        if not self.postings:
            return
        name = data.draw(st.sampled_from(sorted(self.postings)))
        if other and name not in self.accepted and len(self.mismatched) < 2:
            self.mismatched.add(name)
        again = self.postings[name]
        key = {"account": again.account, "order": again.order, "kind": again.kind, "lot": again.lot, "sequence": again.sequence}
        self.fold(posting(name, **key, cut=again.cut, amount=again.amount, content_hash="other" if other else again.content_hash))

    @rule(lot=st.sampled_from(LOTS), held=st.booleans())
    def hold(self, lot: str, held: bool) -> None:
        self.fold(lot_state(lot, held, len(self.holds)))
        self.holds.append((self.bench.step.records[-1].offset, lot, held))

    @rule(steps=st.integers(1, 2))
    def tick(self, steps: int) -> None:
        self.now += steps * S
        self.entries += self.bench.clock(self.now)

    # -- the executor

    @rule(data=st.data())
    def execute(self, data: st.DataObject) -> None:
        for _ in range(min(len(self.entries), 3)):
            at = data.draw(st.integers(0, len(self.entries) - 1))
            entry = self.entries.pop(at)
            if isinstance(entry, Dispatch):
                self.call(entry, data.draw(st.sampled_from(BEHAVIOURS)))
            elif isinstance(entry, ReadBack):
                self.read_back(entry, data.draw(st.booleans()), data)
            else:
                assert isinstance(entry, Timer)
                self.outcomes.append(TimerFired(entry.posting_id, entry.attempt, "retry"))

    def call(self, entry: Dispatch, behaviour: str) -> None:
        """One document: its lines are booked in one transaction, or none is."""
        lines = []
        for name, attempt in entry.lines:
            row = self.bench.row(name)
            if row is None or (row.state, row.attempts) != ("dispatched", attempt):
                continue
            if row.recalled:
                self.outcomes.append(AttemptEnded(name, attempt, "retry", "post", code="HELD"))
                continue
            self.check_form(row)
            self.check_order(row, {name for name, _ in entry.lines})
            lines.append((name, attempt))
        names = [name for name, _ in lines]
        if behaviour == "refused" and self.erp.idempotent and any(name in self.erp.booked for name in names):
            behaviour = "booked"
        for name, attempt in lines:
            if behaviour == "booked":
                document, duplicate = self.erp.book(name)
                ended = AttemptEnded(name, attempt, "accepted", "post", erp_document=document, duplicate=duplicate)
            elif behaviour == "busy":
                ended = AttemptEnded(name, attempt, "retry", "post", code="ERP_BUSY")
            elif behaviour in ("lane", "material"):
                ended = AttemptEnded(name, attempt, "retry", "post", code="ERP_BUSY", scope=behaviour)
            elif behaviour == "refused" and len(lines) > 1:
                ended = AttemptEnded(name, attempt, "retry", "post", code="DOCUMENT_SPLIT")
            elif behaviour == "refused":
                ended = AttemptEnded(name, attempt, "rejected", "post", code="ORDER_CLOSED")
            else:
                if behaviour.startswith("booked"):
                    self.erp.book(name)
                elif behaviour.startswith("late"):
                    self.erp.late.append(name)
                ended = AttemptEnded(name, attempt, "unknown", "post")
            self.outcomes.append(ended)

    def read_back(self, entry: ReadBack, passed: bool, data: st.DataObject | None) -> None:
        name, row = entry.posting_id, self.bench.row(entry.posting_id)
        if row is None or (row.state, row.attempts) != ("unknown", entry.attempt):
            return
        if passed:
            # The horizon: whatever may still be booked is booked by now, or never.
            for _ in range(self.erp.late.count(name)):
                self.erp.late.remove(name)
                if data is not None and data.draw(st.booleans()):
                    self.erp.book(name)
        if name in self.erp.booked:
            document = self.erp.booked[name][0]
            self.outcomes.append(AttemptEnded(name, entry.attempt, "accepted", "find", erp_document=document))
            return
        code = "HORIZON_PASSED" if passed else ""
        self.outcomes.append(AttemptEnded(name, entry.attempt, "not_found", "find", code=code))
        if not passed:
            self.entries.append(entry)

    @rule(data=st.data(), again=st.booleans())
    def outcome(self, data: st.DataObject, again: bool) -> None:
        for _ in range(min(len(self.outcomes), 3)):
            at = data.draw(st.integers(0, len(self.outcomes) - 1))
            self.fold(self.outcomes[at] if again else self.outcomes.pop(at))

    @rule(data=st.data())
    def a_late_call_is_booked(self, data: st.DataObject) -> None:
        if self.erp.late:
            self.erp.book(self.erp.late.pop(data.draw(st.integers(0, len(self.erp.late) - 1))))

    @rule(data=st.data())
    def crash(self, data: st.DataObject) -> None:
        """A suspended predecessor may still make the calls that it had."""
        for entry in self.entries:
            if isinstance(entry, Dispatch) and data.draw(st.booleans()):
                for name, attempt in entry.lines:
                    row = self.bench.row(name)
                    if (row.state, row.attempts) == ("dispatched", attempt) and not row.recalled:
                        self.erp.late.append(name)
        self.entries = self.bench.crash()

    @rule(data=st.data())
    def a_person_says_what_is_unknown(self, data: st.DataObject) -> None:
        """Somebody who has looked: it is in the ERP, or nothing of its document is, nor will be."""
        unknown = sorted(name for name, state in self.bench.states().items() if state == "unknown")
        unknown = [name for name in unknown if not self.bench.row(name).mismatch]
        if not unknown:
            return
        name = data.draw(st.sampled_from(unknown))
        row, at = self.bench.row(name), len(self.bench.step.records)
        document = {one for one, other in self.rows() if other.document == row.document}
        if name in self.erp.booked:
            self.fold(decision("accept", posting_id=name, event_id=f"d{at}", erp_document=self.erp.booked[name][0]))
        elif document.isdisjoint({*self.erp.booked, *self.erp.late}):
            self.fold(decision("retry", posting_id=name, event_id=f"d{at}"))

    def rows(self) -> list[tuple[str, Any]]:
        return [(name, self.bench.row(name)) for name in self.postings]

    # -- what must hold

    def check_form(self, row: Any) -> None:
        held = {lot: on for offset, lot, on in self.holds if offset <= row.gate_offset}.get(row.posting.lot, False)
        allowed = gate(self.config.rules.on_hold, row.posting.kind, held)
        assert allowed.open
        assert (row.gate, row.stock_type) == (allowed.answer, allowed.stock_type)
        # What is folded by now forbids it no more than what the attempt knew: else it would have been recalled.
        newest = {lot: on for _, lot, on in self.holds}.get(row.posting.lot, False)
        assert gate(self.config.rules.on_hold, row.posting.kind, newest).stock_type == row.stock_type

    def check_order(self, row: Any, together: set[str]) -> None:
        """What a correction corrects is in the ERP, or goes in the same document."""
        if row.posting.amount < 0:
            for n in range(1, row.posting.sequence):
                name = f"{row.posting.account}#{n}"
                assert self.bench.row(name).state == "accepted" or name in together, "a correction overtook"

    @invariant()
    def nothing_is_booked_twice_nothing_is_lost(self) -> None:
        for name, lines in self.erp.booked.items():
            assert len(lines) == 1, f"{name} is in the ERP as {lines}"
        states = self.bench.states()
        assert set(states) == set(self.postings)
        for name, state in states.items():
            if state == "accepted":
                assert self.bench.row(name).erp_document == self.erp.booked[name][0]
                assert name not in self.mismatched or name in self.accepted
                self.accepted.add(name)
            assert state == "accepted" or name not in self.accepted, "accepted is absorbing"

    @invariant()
    def what_may_be_booked_is_never_called_unbooked(self) -> None:
        for name in self.postings:
            row = self.bench.row(name)
            if row.state in ("queued", "retry", "held", "rejected") or row.code == "LOT_BLOCKED":
                assert name not in self.erp.booked, f"{name} is {row.state}, but booked"
                assert name not in self.erp.late, f"{name} is {row.state}, but a call of it is still open"

    @invariant()
    def one_call_per_lane_within_the_window(self) -> None:
        rows = [self.bench.row(name) for name in self.postings]
        sent = {(row.posting.order, row.document) for row in rows if row.state == "dispatched"}
        on_the_way = {(row.posting.order, row.document) for row in rows if row.state in ("dispatched", "unknown")}
        assert len({order for order, _ in sent}) == len(sent), "two documents of one order"
        assert len({order for order, _ in on_the_way}) <= self.window

    def teardown(self) -> None:
        """A healthy ERP and no holds: all comes to an end."""
        if not hasattr(self, "bench"):
            return
        for lot in LOTS:
            self.hold(lot, False)
        self.now += 10 * S
        self.entries += self.bench.clock(self.now)
        for _ in range(3_000):
            if not self.entries and not self.outcomes:
                break
            if self.outcomes:
                self.fold(self.outcomes.pop(0))
                continue
            entry = self.entries.pop(0)
            if isinstance(entry, Dispatch):
                self.call(entry, "booked")
            elif isinstance(entry, ReadBack):
                self.read_back(entry, True, None)
            else:
                self.outcomes.append(TimerFired(entry.posting_id, entry.attempt, "retry"))
            self.nothing_is_booked_twice_nothing_is_lost()
        for name in self.postings:
            row = self.bench.row(name)
            assert (row.state, row.code) in {
                ("accepted", row.code),
                ("rejected", row.code),
                ("parked", "POSTING_MISMATCH"),
                ("held", "PREDECESSOR_OPEN"),
            }, f"{name} stayed {row.state} {row.code}"
            if row.code == "PREDECESSOR_OPEN":
                earlier = [self.bench.row(f"{row.posting.account}#{n}") for n in range(1, row.posting.sequence)]
                assert any(one.state in ("rejected", "parked", "held") for one in earlier)


DeliveryMachine.TestCase.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)
test_delivery = DeliveryMachine.TestCase
