"""Twenty thousand postings that the ERP has: no take-over decodes them, no tick looks through them."""

import time
from collections.abc import Iterator

import pytest
import rocksdict

from app.engine.rows import RowCache
from schemas.codec import Codec
from schemas.configuration import Configuration
from schemas.records import AccountClosedRow, AttemptEnded, PostingRow
from streams.delivery.stage import DeliveryStage
from tables.delivery.posting_state import ACCEPTED
from tables.row_kinds import ACCEPTED_ROWS, CLOSED_ACCOUNT_ROWS, CLOSED_MARK_ROWS, POSTING_ROWS
from tests.unit.engine.conftest import db  # noqa: F401
from tests.unit.streams.quality_bench import PLANT, Bench, S, activated, configuration, lot_state, posting

KEPT, HOUR = 20_000, 3_600 * S
MOST_MS = 50
"""On the loop at a time; of the processor, whatever else the machine does."""


def accepted(n: int) -> PostingRow:
    made = posting(f"{n:016X}", account=f"{PLANT}|A{n}", order=f"O{n}", sequence=1)
    return PostingRow(made, ACCEPTED, attempts=1, erp_document=f"D{n}", closed_at=10 * S)


def kept(old: bool = False) -> Bench:
    """`old`: rows of a version without marks."""
    bench = Bench(configuration())
    for n in range(KEPT):
        row = accepted(n)
        bench.step.rows.put(POSTING_ROWS.key(row.posting.posting_id), row)
        bench.step.rows.put(CLOSED_ACCOUNT_ROWS.key(row.posting.account), AccountClosedRow(row.posting.account, 1, [], 1, 10 * S))
    if not old:
        bench.crash()  # puts the marks
    return bench


def mark(n: int, at: int) -> str:
    return ACCEPTED_ROWS.key(f"{at:020d}", f"P{n}", "erp", PLANT)


def longest_ms(steps: Iterator[object]) -> float:
    longest, began = 0.0, time.thread_time()
    for _ in steps:
        now = time.thread_time()
        longest, began = max(longest, now - began), now
    return longest * 1000


def test_a_take_over_decodes_no_accepted_posting_and_holds_the_loop_for_moments(
    db: rocksdict.Rdict,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench, codec, read = kept(), Codec(), list[int]()
    bench.fold(posting("OPEN", account=f"{PLANT}|OPEN", order="OPEN"))
    for key, row in bench.step.rows.scan(""):
        db[key.encode()] = codec.encode(row)
    decode = Codec.decode
    monkeypatch.setattr(Codec, "decode", lambda self, data: read.append(1) or decode(self, data))
    stage, bench.step.rows = DeliveryStage(bench.topology), RowCache(db, codec)
    assert longest_ms(stage.remember(bench.step)) < MOST_MS
    assert len(read) == 1, "the one that is open"
    assert sum(count[ACCEPTED] for _, count in stage._backlogs[0].figures(PLANT)) == KEPT


def test_a_tick_at_a_full_hour_and_one_that_forgets_cost_moments() -> None:
    bench = kept()
    bench.clock(HOUR - 1)
    bench.step.sent.clear()

    def ticks() -> Iterator[None]:
        yield
        for at in (HOUR, 10 * S + POSTING_ROWS.keep_us, 10 * S + POSTING_ROWS.keep_us + S):
            bench.clock(at)
            yield

    assert longest_ms(ticks()) < MOST_MS
    figures = [one for one in bench.step.take("production.kpis") if one.kpi == "posting_success"]
    assert (figures[0].numerator, figures[0].denominator) == (1, 1)
    assert len(bench.step.rows.names(POSTING_ROWS.prefix)) < KEPT


def beginning(bench: Bench, config: Configuration, at: int) -> Iterator[None]:
    """The configuration holds from then on."""
    yield
    bench.fold(activated(config, at))
    bench.clock(at)
    yield


@pytest.mark.parametrize("restart", [False, True])
def test_a_new_hold_policy_looks_at_what_it_may_concern(restart: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of twenty thousand that are queued, three are of lots on hold and one is of a lot that was."""
    policies = [{"on_hold": {"receipt": answer}} for answer in ("into_blocked_stock", "wait", "wait", "post")]
    names = [f"{n:016X}" for n in range(KEPT)]
    before, after, again, open_ = (
        configuration(rules=rules, plant={"shadow": True, "units": {"": [f"1 BOX = {n + 2} PC"]} if n > 1 else {}})
        for n, rules in enumerate(policies)
    )
    bench = Bench(before, after, again, open_)
    bench.fold(*(lot_state(lot, True, n) for n, lot in enumerate(("H1", "H2", "WAS"))))
    lots = ("H1", "H2", "H2", "WAS", "L")
    bench.fold(*(posting(name, account=f"{PLANT}|A{n}", order=f"O{n}", lot=lots[min(n, 4)]) for n, name in enumerate(names)))
    bench.clock(10 * S)
    bench.fold(lot_state("WAS", False, 9, 11 * S))
    assert set(bench.states().values()) == {"queued"}
    asked: list[str] = []
    get = bench.step.rows.get
    monkeypatch.setattr(bench.step.rows, "get", lambda key: asked.append(key) or get(key))
    looked_at = []
    for at, config in enumerate((after, again, open_), 12):
        if restart:
            bench.crash()
        asked.clear()
        assert longest_ms(beginning(bench, config, at * S)) < MOST_MS
        looked_at.append(len({key for key in asked if POSTING_ROWS.has(key)}))
        wanted = ["queued"] * 5 if config is open_ else ["held", "held", "held", "queued", "queued"]
        assert [bench.row(name).state for name in names[:5]] == wanted
    assert looked_at == [4, 0, 4], "the second one has the same policy"


def test_rows_of_a_version_without_marks_get_them() -> None:
    bench = kept(old=True)
    assert bench.step.rows.names(ACCEPTED_ROWS.prefix) == []
    bench.crash()
    assert len(bench.step.rows.names(ACCEPTED_ROWS.prefix)) == len(bench.step.rows.names(CLOSED_MARK_ROWS.prefix)) == KEPT


def test_marks_come_with_the_acceptance_and_go_with_the_rows() -> None:
    bench = Bench(configuration())
    for n, cut in ((1, 10 * S), (2, 20 * S)):
        bench.fold(posting(f"P{n}", account=f"{PLANT}|A1", sequence=n, cut=cut, label=cut))
        bench.clock(cut)
        bench.fold(AttemptEnded(f"P{n}", 1, "accepted", "post", erp_document=f"D{n}"))
    rows = bench.step.rows
    assert rows.names(ACCEPTED_ROWS.prefix) == [mark(1, 10 * S), mark(2, 20 * S)]
    assert rows.names(CLOSED_MARK_ROWS.prefix) == [CLOSED_MARK_ROWS.key(f"{20 * S:020d}", PLANT, "A1")], "the last acceptance"
    bench.crash()
    bench.clock(10 * S + POSTING_ROWS.keep_us)
    assert rows.names(ACCEPTED_ROWS.prefix) == [mark(2, 20 * S)]
    bench.crash()
    bench.clock(20 * S + CLOSED_ACCOUNT_ROWS.keep_us)
    assert [key for key in rows.names("") if not key.startswith("__")] == []
