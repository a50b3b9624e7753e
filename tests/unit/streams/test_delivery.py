"""Stage delivery: gate, order of dispatch, attempts, take-over."""

from typing import Any

import pytest

from schemas.records import AttemptEnded, ConfigActivated, Movement, Tick, TimerFired
from streams.step import sender
from tables.delivery.outbox import Dispatch, ReadBack, Timer
from tables.delivery.posting_state import TRANSITIONS, move
from tables.invariant import InvariantBroken
from tables.row_kinds import POSTING_ROWS
from tests.unit.streams.quality_bench import PLANT, Bench, S, configuration, lot_state, posting

SIM = configuration()
KEEP_ACCEPTED_US = POSTING_ROWS.keep_us
ALONE = {"adapter": "sim", "lines_per_document": 1}
ONCE = configuration(erp={"erp": {"adapter": "sim", "idempotent": False}})


def ended(name: str, result: str, attempt: int = 1, call: str = "post", **fields: Any) -> AttemptEnded:
    return AttemptEnded(name, attempt, result, call, **fields)


def test_the_table_of_states() -> None:
    """I5: written down a second time on purpose."""
    ways = {(one, other) for one, others in TRANSITIONS.items() for other in others}
    evidence = {(state, "accepted") for state in TRANSITIONS if state != "accepted"}
    gate = {
        (state, answer)
        for state in ("waiting_clock", "dispatched", "retry", "unknown")
        for answer in ("queued", "held", "parked")
    }
    moves_behind_the_gate = {("queued", "held"), ("queued", "parked"), ("held", "queued"), ("held", "parked")}
    back = {("parked", "queued"), ("parked", "held")}
    attempts = {("queued", "dispatched"), ("dispatched", "rejected"), ("dispatched", "retry"), ("dispatched", "unknown")}
    found_out = {("unknown", "dispatched"), ("unknown", "rejected"), ("unknown", "retry")}
    decided = {(state, place) for state in ("rejected", "cancelled") for place in ("queued", "held", "parked")}
    decided |= {("parked", "cancelled"), ("rejected", "cancelled")}
    assert ways == decided | evidence | gate | moves_behind_the_gate | back | attempts | found_out
    assert TRANSITIONS["accepted"] == frozenset()


def test_a_way_that_is_not_in_the_table_is_a_defect() -> None:
    bench = Bench(SIM)
    bench.fold(posting("P1"))
    with pytest.raises(InvariantBroken, match="I5: P1: waiting_clock -> dispatched"):
        move(bench.row("P1"), "dispatched")


KINDS = ("yield", "scrap", "rework", "consumption")
FIELD = {"yield": "receipt"}
ANSWERS = {
    "post": ("dispatched", "unrestricted", ""),
    "into_blocked_stock": ("dispatched", "blocked", ""),
    "into_inspection_stock": ("dispatched", "inspection", ""),
    "wait": ("held", "", "LOT_HELD"),
    "block": ("parked", "", "LOT_BLOCKED"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("answer", ANSWERS)
def test_the_gate_per_kind_and_answer(kind: str, answer: str) -> None:
    opposite = "wait" if ANSWERS[answer][0] == "dispatched" else "post"
    fields = {"receipt": opposite, "consumption": opposite, "scrap": opposite, "rework": opposite}
    bench = Bench(configuration(rules={"on_hold": {**fields, FIELD.get(kind, kind): answer}}))
    bench.fold(lot_state("L1", True), posting("P1", kind=kind), posting("P2", kind=kind, lot="L2", order="O2", account="A2"))
    bench.clock(10 * S)
    row, free = bench.row("P1"), bench.row("P2")
    assert (row.state, row.stock_type, row.code) == ANSWERS[answer]
    assert (free.state, free.stock_type, free.gate) == ("dispatched", "unrestricted", "post")


@pytest.mark.parametrize("kind", ["machine_time", "setup_time", "labour_time"])
def test_no_hold_stops_times(kind: str) -> None:
    bench = Bench(configuration(rules={"on_hold": dict.fromkeys(("receipt", "consumption", "scrap", "rework"), "block")}))
    bench.fold(lot_state("L1", True), posting("P1", kind=kind))
    bench.clock(10 * S)
    assert bench.row("P1").state == "dispatched"


def test_a_held_posting_is_regated_when_its_lot_is_released() -> None:
    for answer in ("wait", "block"):
        bench = Bench(configuration(rules={"on_hold": {"receipt": answer}}))
        bench.fold(lot_state("L1", True, 1), posting("P1"))
        assert bench.clock(10 * S) == []
        assert bench.fold(lot_state("L1", False, 2)) == [Dispatch("P1", 1)]
        assert bench.row("P1").gate_offset == bench.step.offset
        assert [outcome.status for outcome in bench.step.take("orders.inbox")] == [{"wait": "held", "block": "parked"}[answer]]


def test_a_posting_is_gated_when_the_slowest_upstream_reaches_its_cut() -> None:
    bench = Bench(SIM)
    bench.fold(posting("P1"))
    assert bench.fold(Tick(PLANT, 10 * S, sender("lots", "lots.inbox", 0))) == []
    assert bench.fold(Tick(PLANT, 9 * S, sender("orders", "orders.inbox", 0))) == []
    assert bench.row("P1").state == "waiting_clock"
    assert bench.fold(Tick(PLANT, 10 * S, sender("orders", "orders.inbox", 0))) == [Dispatch("P1", 1)]


def test_lanes_are_parallel_and_one_call_each_within_the_window() -> None:
    bench = Bench(configuration(erp={"erp": {**ALONE, "concurrency": 2}}))
    bench.fold(*(posting(f"P{n}", order=f"O{n // 2}", account=f"A{n:02}") for n in range(12)))
    first = [entry.posting_id for entry in bench.clock(10 * S)]
    assert first == ["P0", "P2", "P4", "P6"]  # window 2 x 2, one per order
    assert bench.fold(ended("P4", "accepted", erp_document="D")) == [Dispatch("P5", 1)]
    assert bench.fold(ended("P5", "accepted", erp_document="D")) == [Dispatch("P8", 1)]
    assert bench.fold(ended("P0", "accepted", erp_document="D")) == [Dispatch("P1", 1)]


def test_a_lane_of_unknown_outcome_leaves_the_window() -> None:
    bench = Bench(configuration(erp={"erp": {**ALONE, "concurrency": 1}}))
    bench.fold(*(posting(f"P{n}", order=f"O{n}", account=f"A{n}") for n in range(6)))
    assert [entry.posting_id for entry in bench.clock(10 * S)] == ["P0", "P1"]
    sent = [entry for entry in bench.fold(ended("P0", "unknown"), ended("P1", "unknown")) if isinstance(entry, Dispatch)]
    assert len(sent) == 2
    resent = bench.fold(TimerFired("P0", 1, "retry"))
    assert resent == [Dispatch("P0", 2, resend=True)]
    assert resent[0].suspect


def test_a_locked_lane_rests_whole() -> None:
    bench = Bench(configuration(erp={"erp": ALONE}))
    bench.fold(*(posting(f"P{n}", account=f"A{n}", sequence=1) for n in range(3)), posting("Q", order="O2", account="B"))
    assert [entry.posting_id for entry in bench.clock(10 * S)] == ["P0", "Q"]
    assert bench.fold(ended("P0", "retry", code="ERP_BUSY", scope="lane")) == [Timer("P0", 1, 1_000_000)]
    (again,) = bench.fold(TimerFired("P0", 1, "retry"))
    assert (again, again.suspect) == (Dispatch("P0", 2), True)
    assert bench.fold(ended("P0", "accepted", 2, erp_document="D")) == [Dispatch("P1", 1)]


def test_orders_with_an_operation_to_finish_go_first_and_the_final_posting_last_of_its_order() -> None:
    bench = Bench(configuration(erp={"erp": {**ALONE, "concurrency": 1}}))
    bench.fold(
        posting("P1", order="O1", account="A1", cut=1 * S),
        posting("P2", order="O2", account="A2", cut=5 * S, final=True),
        posting("P3", order="O2", account="A3", cut=5 * S),
        posting("P4", order="O3", account="A4", cut=2 * S),
    )
    assert [entry.posting_id for entry in bench.clock(10 * S)] == ["P3", "P1"]
    assert [entry.posting_id for entry in bench.fold(ended("P3", "accepted", erp_document="D"))] == ["P2"]


def test_a_correction_waits_for_its_predecessor_and_is_held_while_that_one_is_stuck() -> None:
    bench = Bench(configuration(erp={"erp": ALONE}, rules={"on_hold": {"receipt": "wait"}}))
    bench.fold(posting("P1"), posting("P2", amount=-2, sequence=2), posting("P3", amount=-1, sequence=3))
    assert bench.clock(10 * S) == [Dispatch("P1", 1)]
    bench.fold(ended("P1", "rejected", code="ORDER_CLOSED"))
    assert bench.states() == {"P1": "rejected", "P2": "held", "P3": "held"}
    assert (bench.row("P2").code, bench.row("P3").code) == ("PREDECESSOR_OPEN", "PREDECESSOR_OPEN")
    # A revision of the same sequence takes the place of the rejected one.
    assert bench.fold(posting("P1r", revision=1)) == [Dispatch("P1r", 1)]
    assert bench.fold(ended("P1r", "accepted", erp_document="D1")) == [Dispatch("P2", 1)]
    assert bench.fold(ended("P2", "accepted", erp_document="D2")) == [Dispatch("P3", 1)]


def test_the_same_posting_again_changes_nothing() -> None:
    bench = Bench(SIM)
    bench.fold(posting("P1"), posting("P1"))
    assert bench.clock(10 * S) == [Dispatch("P1", 1)]
    assert bench.fold(posting("P1")) == []
    bench.fold(ended("P1", "accepted", erp_document="D"))
    assert bench.fold(posting("P1")) == []
    assert bench.row("P1").state == "accepted"


@pytest.mark.parametrize("when", ["waiting", "queued", "retry", "held"])
def test_another_content_under_an_id_parks_it(when: str) -> None:
    bench = Bench(
        configuration(erp={"erp": {"adapter": "none" if when == "queued" else "sim"}}, rules={"on_hold": {"receipt": "wait"}})
    )
    bench.fold(lot_state("L1", when == "held"), posting("P1"))
    if when != "waiting":
        bench.clock(10 * S)
    if when == "retry":
        bench.fold(ended("P1", "retry", code="ERP_BUSY"))
    bench.step.sent.clear()
    bench.fold(posting("P1", content_hash="other"))
    assert (bench.row("P1").state, bench.row("P1").code) == ("parked", "POSTING_MISMATCH")
    assert [one.code for one in bench.step.take("exceptions")] == ["POSTING_MISMATCH"]
    assert [one.status for one in bench.step.take("orders.inbox")] == ["parked"]
    bench.fold(lot_state("L1", False, 5), TimerFired("P1", 1, "retry"))
    assert bench.row("P1").state == "parked"


def test_another_content_while_it_is_on_the_way_is_never_accepted() -> None:
    bench = Bench(SIM)
    bench.fold(posting("P1"))
    bench.clock(10 * S)
    bench.fold(posting("P1", content_hash="other"))
    assert bench.row("P1").recalled
    bench.fold(ended("P1", "accepted", erp_document="D"))
    row = bench.row("P1")
    assert (row.state, row.code, row.erp_document) == ("parked", "POSTING_MISMATCH", "D")


@pytest.mark.parametrize("config", [configuration(erp={"erp": {"adapter": "none"}}), configuration(plant={"shadow": True})])
def test_without_erp_and_in_shadow_mode_postings_stay_queued_until_that_changes(config: Any) -> None:
    bench = Bench(config, SIM)
    bench.fold(posting("P1"))
    assert bench.clock(10 * S) == []
    assert bench.states() == {"P1": "queued"}
    bench.fold(ConfigActivated(PLANT, SIM.hash, 20 * S, "intake"))
    assert bench.clock(19 * S) == []
    assert bench.clock(20 * S) == [Dispatch("P1", 1)]


def test_a_changed_hold_policy_lets_go_what_it_held() -> None:
    bench = Bench(configuration(rules={"on_hold": {"receipt": "wait"}}), SIM)
    bench.fold(lot_state("L1", True), posting("P1"), ConfigActivated(PLANT, SIM.hash, 20 * S, "intake"))
    assert bench.clock(10 * S) == []
    assert bench.clock(20 * S) == [Dispatch("P1", 1)]
    assert bench.row("P1").stock_type == "blocked"


def test_a_hold_recalls_what_is_with_the_executor_and_its_release_takes_that_back() -> None:
    bench = Bench(SIM)
    bench.fold(posting("P1"))
    bench.clock(10 * S)
    bench.fold(lot_state("L1", True, 1))
    assert bench.row("P1").recalled
    bench.fold(lot_state("L1", False, 2))
    assert not bench.row("P1").recalled
    bench.fold(lot_state("L1", True, 3))
    assert bench.fold(ended("P1", "retry", code="HELD")) == [Dispatch("P1", 2)]
    assert (bench.row("P1").stock_type, bench.row("P1").recalled) == ("blocked", False)


def test_an_older_lot_state_changes_nothing() -> None:
    bench = Bench(configuration(rules={"on_hold": {"receipt": "wait"}}))
    bench.fold(lot_state("L1", True, 7), lot_state("L1", False, 6), posting("P1"))
    assert bench.clock(10 * S) == []


def test_a_lot_state_of_a_newer_log_replaces_one_with_a_higher_offset() -> None:
    """A recreated inbox counts its offsets from the beginning."""
    bench = Bench(configuration(rules={"on_hold": {"receipt": "wait"}}))
    again, before = lot_state("L1", True, 2), lot_state("L1", False, 9)
    again.log_epoch, before.log_epoch = 2, 1
    bench.fold(before, again, before, posting("P1"))
    assert bench.clock(10 * S) == []
    assert bench.states() == {"P1": "held"}


def test_retry_waits_for_its_timer_and_longer_each_time() -> None:
    bench = Bench(SIM)
    bench.fold(posting("P1"))
    bench.clock(10 * S)
    assert bench.fold(ended("P1", "retry", code="ERP_BUSY")) == [Timer("P1", 1, 1_000_000)]
    assert bench.row("P1").state == "retry"
    assert bench.fold(TimerFired("P1", 0, "retry")) == []
    assert bench.fold(TimerFired("P1", 1, "retry")) == [Dispatch("P1", 2)]
    assert bench.fold(ended("P1", "retry", 2, retry_after_ms=1_500)) == [Timer("P1", 2, 2_000_000)]
    assert bench.fold(TimerFired("P1", 2, "retry"), ended("P1", "rejected", 1)) == [Dispatch("P1", 3)]
    assert bench.fold(ended("P1", "retry", 3, retry_after_ms=9_000)) == [Timer("P1", 3, 9_000_000)]


def test_a_retry_holds_up_nobody_of_its_order() -> None:
    bench = Bench(configuration(erp={"erp": ALONE}))
    bench.fold(posting("P1"), posting("P2", account="A2"))
    bench.clock(10 * S)
    assert Dispatch("P2", 1) in bench.fold(ended("P1", "retry"))


@pytest.mark.parametrize(("short", "state"), [("park", "parked"), ("retry 4 h", "retry"), ("retry 1 s", "retry")])
def test_short_stock_waits_within_its_window_then_parks(short: str, state: str) -> None:
    bench = Bench(configuration(erp={"erp": {"adapter": "sim"}, "book": {"yield": {"short_of_stock": short}}}))
    bench.fold(posting("P1"))
    bench.clock(10 * S)
    bench.fold(ended("P1", "retry", code="STOCK_SHORT"))
    assert bench.row("P1").state == state
    if short == "retry 1 s":
        bench.fold(TimerFired("P1", 1, "retry"))
        bench.fold(ended("P1", "retry", 2, code="STOCK_SHORT"))
        assert (bench.row("P1").state, bench.row("P1").code) == ("parked", "STOCK_SHORT")


def test_retries_end_when_the_configuration_says_so() -> None:
    bench = Bench(configuration(erp={"erp": {"adapter": "sim", "retry": {"first": "2 s", "give_up": "5 s"}}}))
    bench.fold(posting("P1"))
    bench.clock(10 * S)
    bench.fold(ended("P1", "retry"))
    bench.fold(TimerFired("P1", 1, "retry"))
    assert bench.fold(ended("P1", "retry", 2)) == []
    assert (bench.row("P1").state, bench.row("P1").code) == ("parked", "RETRY_EXHAUSTED")


def test_accepted_is_absorbing_and_a_second_document_raises_double() -> None:
    bench = Bench(SIM)
    bench.fold(posting("P1"))
    bench.clock(10 * S)
    bench.fold(ended("P1", "accepted", erp_document="D1"))
    bench.step.sent.clear()
    bench.fold(ended("P1", "rejected"), ended("P1", "unknown"), ended("P1", "accepted", erp_document="D1", duplicate=True))
    assert bench.row("P1").state == "accepted"
    assert bench.step.take() == []
    bench.fold(ended("P1", "accepted", erp_document="D2"))
    assert (bench.row("P1").state, bench.row("P1").code, bench.row("P1").erp_document) == ("accepted", "DOUBLE", "D1")
    assert [one.code for one in bench.step.take("exceptions")] == ["DOUBLE"]


def test_final_states_are_told_to_orders() -> None:
    bench = Bench(SIM)
    bench.fold(posting("P1"), posting("P2", account="A2", order="O2"))
    bench.clock(10 * S)
    bench.fold(ended("P1", "accepted", erp_document="D1"), ended("P2", "rejected", code="ORDER_CLOSED", detail="is closed"))
    told = [(one.key, one.record.status, one.record.erp_document, one.record.code) for one in bench.step.sent]
    assert told == [(f"{PLANT}|O1", "accepted", "D1", ""), (f"{PLANT}|O2", "rejected", "", "ORDER_CLOSED")]


def test_take_over_makes_dispatched_unknown_and_resends_where_the_erp_is_idempotent() -> None:
    bench = Bench(SIM)
    bench.fold(posting("P1"), posting("P2", order="O2", account="A2"))
    bench.clock(10 * S)
    bench.fold(ended("P2", "retry"))
    assert bench.crash() == [Dispatch("P1", 2, resend=True), Timer("P2", 1, 1_000_000)]
    assert bench.row("P1").unresolved == 1
    bench.fold(ended("P1", "rejected", 1, code="X"))  # of the attempt before the crash: older, ignored
    assert bench.row("P1").state == "dispatched"


def test_take_over_reads_back_where_the_erp_is_not_idempotent() -> None:
    bench = Bench(ONCE)
    bench.fold(posting("P1"))
    bench.clock(10 * S)
    assert bench.crash() == [ReadBack("P1", 1)]
    assert bench.fold(ended("P1", "not_found", call="find")) == []
    assert (bench.row("P1").state, bench.row("P1").finds) == ("unknown", 1)
    assert bench.fold(ended("P1", "not_found", call="find", code="HORIZON_PASSED")) == [Dispatch("P1", 2)]


def test_an_unknown_under_a_hold_that_forbids_it_is_read_back_never_resent() -> None:
    bench = Bench(configuration(rules={"on_hold": {"receipt": "wait"}}))
    bench.fold(posting("P1"))
    bench.clock(10 * S)
    assert bench.fold(ended("P1", "unknown")) == [Timer("P1", 1, 1_000_000)]
    bench.fold(lot_state("L1", True, 1))
    assert bench.fold(TimerFired("P1", 1, "retry")) == [ReadBack("P1", 1)]
    bench.fold(ended("P1", "not_found", call="find", code="HORIZON_PASSED"))
    assert bench.states() == {"P1": "held"}


def test_an_unknown_whose_form_changed_is_read_back_first() -> None:
    bench = Bench(SIM)
    bench.fold(posting("P1"))
    bench.clock(10 * S)
    bench.fold(ended("P1", "unknown"), lot_state("L1", True, 1))
    assert bench.fold(TimerFired("P1", 1, "retry")) == [ReadBack("P1", 1)]


def test_a_resend_that_is_refused_does_not_hide_an_earlier_attempt() -> None:
    bench = Bench(SIM)
    bench.fold(posting("P1"))
    bench.clock(10 * S)
    bench.fold(ended("P1", "unknown"))
    bench.fold(TimerFired("P1", 1, "retry"))
    assert bench.fold(ended("P1", "retry", 2, code="ERP_BUSY")) == [Timer("P1", 2, 2_000_000)]
    assert bench.row("P1").state == "unknown"
    assert bench.fold(TimerFired("P1", 2, "retry")) == [Dispatch("P1", 3, resend=True)]
    assert bench.fold(ended("P1", "rejected", 3, code="ORDER_CLOSED")) == [ReadBack("P1", 3)]
    bench.fold(ended("P1", "accepted", 3, "find", erp_document="D1"))
    assert (bench.row("P1").state, bench.row("P1").erp_document) == ("accepted", "D1")


def test_an_attempt_is_final_only_when_none_before_it_is_open() -> None:
    """The second attempt may be booked, too, until its refusal comes; the first one still may be afterwards."""
    bench = Bench(SIM)
    bench.fold(posting("P1"))
    bench.clock(10 * S)
    bench.fold(ended("P1", "unknown"))
    bench.fold(TimerFired("P1", 1, "retry"))
    bench.fold(ended("P1", "unknown", 2))
    assert bench.row("P1").unresolved == 1
    assert bench.fold(ended("P1", "rejected", 2, code="ORDER_CLOSED")) == [ReadBack("P1", 2)]
    assert bench.row("P1").state == "unknown"


def test_an_adapter_that_cannot_tell_repetitions_is_read_back_instead() -> None:
    bench = Bench(SIM)
    bench.fold(posting("P1"))
    bench.clock(10 * S)
    bench.crash()
    assert bench.fold(ended("P1", "unknown", 2, code="NOT_IDEMPOTENT")) == [ReadBack("P1", 2)]


def test_the_lot_that_the_erp_will_receive_gates_a_receipt_without_lot() -> None:
    bench = Bench(SIM)
    received = Movement("receipt", "4711", 5, 0, "PC", lot="L7")
    bench.fold(lot_state("L7", True), posting("P1", lot="", movements=[received]))
    bench.clock(10 * S)
    assert bench.row("P1").stock_type == "blocked"
