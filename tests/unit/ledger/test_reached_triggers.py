"""`rules explain` of the past: a trigger was reached at the cut that it made a posting, and not when somebody asks."""

from dataclasses import replace
from typing import Any

from app.ledger.books.snapshot import Snapshot
from app.ledger.questions.rules import explained_from_ledger
from schemas.records import OrderRow
from tables.row_kinds import ORDER_ROWS
from tests.unit.streams.ledger_bench import CUT, Ledger, released, total
from tests.unit.tables.floor_bench import HOUR, PLANT, at, configuration

T = at("08:00")


def triggers(now: int, *more: Any, when: tuple[str, ...] = ("shift_end",)) -> list[str]:
    bench = Ledger(configuration({}, {"post": [{"kind": "yield", "when": list(when)}]}))
    bench.fold(released(T), total("gross", 10, label=T))
    bench.tick(CUT)
    bench.fold(*more)
    bench.tick(CUT + 2 * HOUR)
    rows = dict(bench.step.rows.scan(""))
    order: OrderRow = rows[ORDER_ROWS.key(PLANT, "O1")]
    rows[ORDER_ROWS.key(PLANT, "O1")] = replace(order, completed=True, completed_at=T + HOUR)
    lines = explained_from_ledger(Snapshot({"orders": rows}, [], bench.configurations[0], {}), "O1", now)[1]
    return [line.strip() for line in lines if "Trigger" in line]


def test_a_shift_end_was_reached_at_the_cut_of_its_last_posting() -> None:
    later = at("14:00") + 48 * HOUR
    assert triggers(later) == ["Trigger   shift_end: nothing waits for it; it was reached 20 Nov 2026 14:00:00 UTC"]


def test_a_shift_end_for_which_something_waits_is_reached_now_or_yet_to_come() -> None:
    more = total("gross", 15, version=(1, 9), label=CUT + HOUR)
    later = CUT + 48 * HOUR
    assert triggers(later, more) == ["Trigger   shift_end: reached now"]
    assert triggers(later + HOUR, more) == ["Trigger   shift_end: 22 Nov 2026 22:00:00 UTC"]


def test_a_completion_was_reached_when_the_order_was_completed() -> None:
    said = triggers(CUT + 48 * HOUR, when=("order_completed",))
    assert said == ["Trigger   order_completed: reached 20 Nov 2026 09:00:00 UTC"]
