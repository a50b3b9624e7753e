"""Figures of a run's calls, also of what delivery has forgotten."""

import pytest

from app.ledger.books.erp_calls import figures
from app.ledger.books.snapshot import Snapshot
from schemas.records import AttemptEnded
from tables.row_kinds import POSITION_ROWS, POSTING_ROWS
from tests.unit.streams.quality_bench import Bench, S, configuration, posting

DAY = 86_400 * S


def counts(bench: Bench) -> tuple[int, int, int]:
    delivery = {**dict(bench.step.rows.scan("")), POSITION_ROWS.prefix: bench.step.state}
    found = figures(
        Snapshot({"delivery": delivery}, [], bench.topology.configuration(bench.step.state.configurations["P"]), {}), []
    )
    return found["postings"], found["accepted"], found["documents"]


def accept(bench: Bench, name: str, document: str) -> None:
    bench.fold(AttemptEnded(name, 1, "accepted", "post", erp_document=document))


@pytest.mark.parametrize(("lines", "documents"), [(1, 3), (3, 1)])
def test_what_is_forgotten_was_posted_all_the_same(lines: int, documents: int) -> None:
    bench = Bench(configuration({"erp": {"adapter": "sim", "lines_per_document": lines, "concurrency": 3}}))
    names = [f"P{number}" for number in range(3)]
    for number, name in enumerate(names):
        bench.fold(posting(name, account=f"A{number}", order="O1" if lines > 1 else f"O{number}"))
    released = [entry for entry in bench.clock(10 * S) if hasattr(entry, "lines")]
    assert len(released) == documents
    for entry in released:
        for name in (entry.posting_id, *(line for line, _ in entry.lines)):
            accept(bench, name, f"D-{entry.posting_id}")
    assert counts(bench) == (3, 3, documents)
    accept(bench, names[0], f"D-{released[0].posting_id}")
    assert counts(bench) == (3, 3, documents), "a repeated outcome is no news"
    bench.crash()
    later = POSTING_ROWS.keep_us + 2 * DAY
    bench.clock(later)
    bench.clock(later + DAY)
    assert bench.states() == {}, "delivery has forgotten them"
    assert counts(bench) == (3, 3, documents)
