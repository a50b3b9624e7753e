"""What delivery forgets, by the clock in the log; an id that nobody remembers is not posted again."""

from collections import Counter

import pytest

from schemas.catalog import DAY_US, catalog
from schemas.records import AttemptEnded, OperatorDecision
from streams.delivery import retention as delivery_retention
from tables.row_kinds import ACCEPTED_ROWS, CLOSED_ACCOUNT_ROWS, CLOSED_MARK_ROWS, LOT_STATE_ROWS, POSTING_ROWS
from tests.unit.streams.quality_bench import PLANT, Bench, S, configuration, lot_state, posting

SIM = configuration()
KEPT = catalog().rows["delivery"]
POSTING_US, CLOSED_US, LOT_US = (kind.keep_us for kind in (POSTING_ROWS, CLOSED_ACCOUNT_ROWS, LOT_STATE_ROWS))


def ended(name: str, result: str, **fields: str) -> AttemptEnded:
    return AttemptEnded(name, 1, result, "post", **fields)


def accepted(bench: Bench, name: str = "P1", account: str = "P|A1", sequence: int = 1, cut: int = 10 * S, born: int = 1) -> None:
    bench.fold(posting(name, account=account, sequence=sequence, cut=cut, label=cut, born_epoch=born, order=f"O-{account}"))
    bench.clock(cut)
    bench.fold(ended(name, "accepted", erp_document=f"D-{name}"))


def answers(bench: Bench) -> list[tuple[str, str]]:
    return [(one.status, one.code) for one in bench.step.take("orders.inbox")]


def test_everything_of_what_ended_goes_in_its_time() -> None:
    bench = Bench(SIM)
    bench.fold(lot_state("L1", held=False, label=10 * S), lot_state("L2", held=True, label=10 * S))
    accepted(bench)
    bench.clock(10 * S + POSTING_US)
    assert bench.row("P1") is None
    assert bench.step.rows.get(CLOSED_ACCOUNT_ROWS.key("P", "A1")) is not None
    bench.clock(10 * S + max(CLOSED_US, LOT_US))
    left = {key for key in bench.step.rows.rows if not key.startswith("__")}
    assert left == {LOT_STATE_ROWS.key("P", "4711", "L2")}, "only the lot that somebody holds"


def test_what_waits_for_somebody_stays() -> None:
    bench = Bench(SIM)
    bench.fold(posting("P1", account="P|A1"))
    bench.clock(10 * S)
    bench.fold(ended("P1", "rejected", code="NO_PERIOD"))
    bench.clock(10 * S + 1000 * DAY_US)
    assert bench.row("P1").state == "rejected"


def test_a_cancelled_posting_goes_and_one_that_was_taken_up_again_stays() -> None:
    bench = Bench(SIM)
    for name in ("P1", "P2"):
        bench.fold(posting(name, account=f"P|{name}", order=name))
        bench.clock(10 * S)
        bench.fold(ended(name, "rejected", code="NO_PERIOD"), decided(name, "cancel"))
    bench.fold(decided("P2", "retry"))
    bench.clock(10 * S + POSTING_US)
    assert bench.states() == {"P2": "dispatched"}


def decided(name: str, decision: str) -> OperatorDecision:
    return OperatorDecision(
        event_id=f"{name}-{decision}", plant=PLANT, occurred_at=0, received_at=0, source="s", raw_source="raw", raw_offset=0,
        order="", account="", code="", decision=decision, who="A", why="B", posting_id=name, label=0,
    )  # fmt: skip


def test_a_repeat_is_answered_also_when_nothing_of_its_account_is_left() -> None:
    bench = Bench(SIM)
    accepted(bench)
    bench.clock(10 * S + CLOSED_US)
    assert bench.step.rows.get(CLOSED_ACCOUNT_ROWS.key("P", "A1")) is None
    bench.step.sent.clear()
    assert bench.fold(posting("P1", account="P|A1", born_epoch=1)) == [], "its cut passed longer ago than postings are kept"
    assert answers(bench) == [("closed", "CLOSED")]


@pytest.mark.parametrize("born", [2, 65537])
def test_an_account_that_was_born_anew_counts_anew(born: int) -> None:
    """Its state was lost (log epoch) or forgotten: sequence 1 is another posting than the one that was accepted."""
    bench = Bench(SIM)
    accepted(bench)
    again = 20 * S
    (entry,) = bench.fold(posting("Q1", account="P|A1", cut=again, label=again, born_epoch=born)) or bench.clock(again)
    assert entry.posting_id == "Q1"
    bench.fold(ended("Q1", "accepted", erp_document="D2"))
    bench.step.sent.clear()
    assert bench.fold(posting("P0", account="P|A1", born_epoch=1, sequence=2)) == [], "what is older than the account is closed"
    assert answers(bench) == [("closed", "CLOSED")]


def test_one_tick_bears_a_bounded_number_and_the_next_ones_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery_retention, "MOST_PER_TICK", 2)
    bench = Bench(SIM)
    for n in range(5):
        accepted(bench, f"P{n}", f"P|A{n}", cut=(10 + n) * S)
    left = []
    for n in range(3):
        bench.clock(14 * S + POSTING_US + n)
        left.append(len(bench.states()))
    assert left == [3, 1, 0]


def test_a_take_over_forgets_what_the_owner_before_would_have() -> None:
    one, other = Bench(SIM), Bench(SIM)
    for bench in (one, other):
        for n in range(4):
            accepted(bench, f"P{n}", f"P|A{n}", cut=(10 + n) * S)
    other.crash()
    for bench in (one, other):
        bench.clock(11 * S + POSTING_US)
    assert one.step.rows.rows == other.step.rows.rows
    assert one.states().keys() == {"P2", "P3"}


@pytest.mark.parametrize("marked", [False, True], ids=["as the version before left it", "taken over once since"])
def test_a_row_of_a_version_that_did_not_keep_when_it_ended_is_kept_from_the_first_tick_on(marked: bool) -> None:
    bench, long = Bench(SIM), 10 * CLOSED_US
    bench.fold(lot_state("L1", held=False, label=10 * S))
    accepted(bench)
    rows = bench.step.rows
    undated = (
        (POSTING_ROWS.key("P1"), "closed_at"),
        (CLOSED_ACCOUNT_ROWS.key("P", "A1"), "at"),
        (LOT_STATE_ROWS.key("P", "4711", "L1"), "label"),
    )
    for key, time in undated:
        row = rows.get(key)
        setattr(row, time, 0)
        rows.put(key, row)
    for kind in (ACCEPTED_ROWS, CLOSED_MARK_ROWS):
        for mark in rows.names(kind.prefix):
            rows.delete(mark)
    for _ in range(2 if marked else 1):
        bench.crash()
    bench.clock(long)
    bench.clock(long + 1)
    for key, time in undated:
        assert getattr(rows.get(key), time) == long
    bench.crash()
    bench.clock(long + CLOSED_US - 1)
    assert CLOSED_ACCOUNT_ROWS.find(rows, "P", "A1") is not None
    bench.clock(long + max(CLOSED_US, LOT_US))
    assert {key for key in rows.rows if not key.startswith("__")} == set(), "with their marks"


def test_the_share_of_accepted_postings_is_kept_and_not_counted() -> None:
    """The figure of each hour costs no look at the rows: 20,000 kept postings held the loop for 5.9 s."""
    bench = Bench(SIM)
    for n in range(3):
        accepted(bench, f"P{n}", f"P|A{n}")
    bench.fold(posting("P9", account="P|A9", order="O9"))
    bench.clock(11 * S)
    bench.fold(ended("P9", "rejected", code="NO_PERIOD"))
    scanned = Counter[str]()
    scan = bench.step.rows.scan
    bench.step.rows.scan = lambda prefix: (scanned.update([prefix]), scan(prefix))[1]  # type: ignore[method-assign,func-returns-value]
    bench.clock(3_700 * S)
    (figure,) = bench.step.take("production.kpis")
    assert (figure.numerator, figure.denominator) == (3, 4)
    assert not scanned
    bench.clock(11 * S + POSTING_US)
    bench.step.take("production.kpis")
    bench.clock(11 * S + POSTING_US + 3_700 * S)
    (figure,) = bench.step.take("production.kpis")
    assert (figure.numerator, figure.denominator) == (0, 1), "of those that are still kept"
