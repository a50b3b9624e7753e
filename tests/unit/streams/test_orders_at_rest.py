"""Orders that only wait to be forgotten: a take-over reads nothing of them, and they go on as if it had."""

from typing import Any

import pytest
import rocksdict

from app.engine.rows import RowCache
from schemas.codec import Codec
from schemas.records import (
    ConfigActivated,
    CutOff,
    MaterialChanged,
    OperatorDecision,
    OrderAcknowledged,
    OrderClosed,
    OrderCompleted,
    OrderHandedOver,
    Outcome,
    PlantRow,
)
from streams.orders.memory import OrdersMemory
from streams.orders.rest import Marked, account_of, left_key, mark_key, marked_by, named_by
from streams.orders.stage import MOST_WOKEN_PER_TICK
from tables.orders.account import account_key
from tables.row_kinds import ACCOUNT_ROWS, AT_REST_ROWS, LEFT_ROWS, OLD_MARK_ROWS, ORDER_ROWS, WAKING_ROWS, RowKind
from tests.unit.engine.conftest import db  # noqa: F401
from tests.unit.streams.ledger_bench import CUT, Ledger, item, operation, released, total
from tests.unit.tables.floor_bench import HOUR, PLANT, at, configuration, event

RULES = {"post": [{"kind": "yield", "when": ["shift_end", "order_completed"]}]}
CLOSE = {"periods": {"close": "2nd workday 12:00"}}
BEGIN = at("08:00")
CLOSES = at("12:00", 32)
"""Of November: the second workday of December."""


def closed_orders(ledger: Ledger, *names: str, accept: frozenset[str] | None = None) -> None:
    """Made, posted, answered and closed; their key figures were told. `accept`: those of which the ERP took the posting; all."""
    for name in names:
        ledger.fold(released(BEGIN, order=name), total("gross", 10, label=BEGIN, first_at=BEGIN, order=name, source_key=name))
        ledger.fold(total("machine_time", 60, label=BEGIN, first_at=BEGIN, order=name, source_key=f"{name}|t", unit="min"))
        ledger.fold(event(OrderAcknowledged, CUT, CUT, order=name))
    ledger.tick(CUT)
    for name in names:
        if accept is None or name in accept:
            taken(ledger, name)
        ledger.fold(event(OrderClosed, CUT, CUT + 1, order=name, status="closed"))
    ledger.tick(CUT + 2)
    ledger.tick(CUT + HOUR)


def taken(ledger: Ledger, name: str) -> None:
    for row in ledger.accounts().values():
        for posting in row.issued if row.order == name else ():
            ledger.fold(Outcome(PLANT, row.order, account_key(row), posting.posting_id, "accepted", 1, erp_document="D"))


def marks(ledger: Ledger, kind: RowKind[PlantRow]) -> list[str]:
    return ledger.step.rows.names(kind.prefix)


def plant() -> Ledger:
    return Ledger(configuration(rules=RULES, erp=CLOSE))


def test_a_take_over_decodes_what_is_open_and_nothing_that_rests(db: rocksdict.Rdict, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    ledger = plant()
    closed_orders(ledger, *(f"O|{n}" if n % 2 else f"O{n}" for n in range(20)))
    ledger.fold(released(CUT, order="OPEN"), total("gross", 5, label=CUT, order="OPEN", source_key="S"))
    ledger.tick(CUT + HOUR + 1)
    codec, read = Codec(), []
    for key, row in ledger.step.rows.scan(""):
        db[key.encode()] = codec.encode(row)
    decode = Codec.decode
    monkeypatch.setattr(Codec, "decode", lambda self, data: read.append(1) or decode(self, data))
    memory = OrdersMemory(RowCache(db, codec))
    for _ in memory.remember():
        pass
    open_rows = [key for key in ledger.step.rows.names("") if "OPEN" in key]
    assert len(open_rows) >= 2
    assert len(read) == len(open_rows)
    assert len(memory.accounts_of(ORDER_ROWS.key(PLANT, "O|1"))) == 2, "read when somebody asks"


@pytest.mark.parametrize("restart", [False, True])
def test_master_data_reaches_an_order_at_rest(restart: bool) -> None:
    """Its pieces filled no box, so nothing of them was posted; boxes were smaller all the time, the ERP says now."""
    ledger = packing()
    resting(ledger, "O1")
    if restart:
        ledger.restart()
    ledger.fold(boxes(CUT + HOUR + 1, 4, since=BEGIN))
    again = ledger.tick(CUT + HOUR + 2)
    assert [(one.amount, one.unit) for one in again] == [(1, "BOX")]
    assert marks(ledger, AT_REST_ROWS) == [], "something happened to it"


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("since", [BEGIN, CUT + HOUR + 1], ids=["dated back", "from now on"])
def test_a_new_conversion_leaves_what_an_order_at_rest_has_posted(since: int, restart: bool) -> None:
    """Ten pieces were a box when it was posted."""
    ledger = packing()
    resting(ledger, "O1", pieces=20)
    (before,) = [row for row in ledger.accounts().values() if row.kind == "yield"]
    assert (before.posted, before.unit) == (2, "BOX")
    if restart:
        ledger.restart()
    ledger.fold(boxes(CUT + HOUR + 1, 4, since=since))
    assert ledger.tick(CUT + HOUR + 2) == []
    ledger.fold(total("gross", 30, (1, 2), CUT + HOUR + 3, first_at=BEGIN, source_key="O1"))
    assert [one.amount for one in ledger.tick(CUT + HOUR + 4)] == [1], "and what comes late of its run is as it was then"


@pytest.mark.parametrize("since", [BEGIN + HOUR, CUT + HOUR + 1], ids=["dated back", "from now on"])
def test_a_new_conversion_leaves_what_was_made_before_its_time_though_nothing_of_it_was_posted(since: int) -> None:
    ledger = packing()
    resting(ledger, "O1")
    ledger.fold(boxes(CUT + HOUR + 1, 4, since=since))
    assert ledger.tick(CUT + HOUR + 2) == []


@pytest.mark.parametrize("restart", [False, True])
def test_the_close_of_a_period_tells_what_orders_at_rest_left_behind(restart: bool) -> None:
    """One posting is still on its way, and no rule posts machine time: both are missed, of both orders."""
    ledger = plant()
    closed_orders(ledger, "O1", "O2", accept=frozenset({"O2"}))
    assert len(marks(ledger, AT_REST_ROWS)) == 2
    assert len(marks(ledger, LEFT_ROWS)) == 3
    if restart:
        ledger.restart()
    found = closing(ledger)
    assert [(one.order, one.kind, one.code) for one in found] == [
        ("O1", "machine_time", "NOT_DUE"),
        ("O1", "yield", "IN_FLIGHT"),
        ("O2", "machine_time", "NOT_DUE"),
    ]
    taken(ledger, "O1")
    assert len(marks(ledger, LEFT_ROWS)) == 2
    if restart:
        ledger.restart()
    for row in ledger.accounts().values():
        assert named_by(ACCOUNT_ROWS.key(account_key(row))).material == row.material


def closing(ledger: Ledger) -> list[CutOff]:
    ledger.tick(CLOSES - 1)
    ledger.tick(CLOSES)
    found: list[CutOff] = ledger.step.take("ledger.cut-off")
    return sorted(found, key=lambda one: (one.order, one.kind))


def test_the_close_of_a_period_reads_only_accounts_of_which_something_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = plant()
    closed_orders(ledger, *(f"O{n}" for n in range(30)))
    ledger.tick(CLOSES - 1)
    asked: list[str] = []
    get = ledger.step.rows.get

    def counted(key: str) -> Any:
        asked.append(key)
        return get(key)

    monkeypatch.setattr(ledger.step.rows, "get", counted)
    monkeypatch.setattr(ledger.step.rows, "scan", lambda prefix: pytest.fail(f"a scan of {prefix}"))
    ledger.tick(CLOSES)
    assert {key.split("|")[6] for key in asked if ACCOUNT_ROWS.has(key)} == {"machine_time"}


def test_an_order_that_the_erp_closed_comes_to_rest_with_nothing_to_tell() -> None:
    """Its accounts say ORDER_CLOSED of what may come; nothing waits, so no figure grows older and nothing counts as parked."""
    ledger = plant()
    closed_orders(ledger, "O1")
    assert {row.kind: (row.code, row.parked) for row in ledger.accounts().values()} == {
        "yield": ("ORDER_CLOSED", 0),
        "machine_time": ("", 0),
    }, "no rule posts machine time: the end of the order stops nothing of it"
    assert len(marks(ledger, AT_REST_ROWS)) == 1
    ledger.step.sent.clear()
    ledger.tick(CUT + 2 * HOUR)
    assert ledger.step.take("production.kpis") == []


def test_marks_of_an_earlier_version_go_and_the_orders_get_new_ones() -> None:
    ledger = plant()
    closed_orders(ledger, "O1")
    (mark,) = marks(ledger, AT_REST_ROWS)
    before = dict(ledger.step.rows.rows)
    ledger.step.rows.delete(mark)
    for key in marks(ledger, LEFT_ROWS):
        ledger.step.rows.delete(key)
    ledger.step.rows.put(OLD_MARK_ROWS.key(PLANT, "O1", f"{marked_by(mark).at:020d}"), PlantRow(PLANT, marked_by(mark).at))
    ledger.restart()
    assert ledger.step.rows.rows == before


@pytest.mark.parametrize("order", ["O1", "O|1", "O%7C1", "|", "a%25|b"])
def test_a_mark_says_what_it_was_made_of(order: str) -> None:
    marked = Marked("P", ORDER_ROWS.key(PLANT, order), 17, ["47|11", "%", ""])
    assert marked_by(mark_key(marked)) == marked
    assert account_of(left_key(ACCOUNT_ROWS.key("P", "x"))) == ACCOUNT_ROWS.key("P", "x")


def test_a_late_release_is_asked_of_those_that_are_due_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand orders wait for an answer: a tick looks at none of them before its time, and at each once."""
    ledger = Ledger(configuration({"mes": {"acknowledge_within": "30 min"}}, rules=RULES))
    for n in range(1_000):
        ledger.fold(released(BEGIN + n, order=f"O{n}", items=[item()], operations=[operation()]))
    ledger.tick(BEGIN + 1_000)
    ledger.step.sent.clear()
    get, asked = ledger.step.rows.get, list[str]()
    monkeypatch.setattr(ledger.step.rows, "get", lambda key: asked.append(key) or get(key))
    ledger.tick(BEGIN + HOUR // 4)
    assert not [key for key in asked if ORDER_ROWS.has(key)]
    monkeypatch.undo()
    ledger.restart()
    ledger.tick(BEGIN + HOUR // 2 + 2)
    assert [letter.code for letter in ledger.step.take("exceptions")] == ["ORDER_NOT_ACKNOWLEDGED"] * 3
    ledger.tick(BEGIN + HOUR)
    assert len(ledger.step.take("exceptions")) == 997
    ledger.tick(BEGIN + 2 * HOUR)
    assert ledger.step.take("exceptions") == []


def completed(ledger: Ledger, **fields: Any) -> None:
    """Order O1 is made, posted, answered, completed and at rest; the ERP did not close it."""
    ledger.fold(released(BEGIN, items=[item(), item("4712")]))
    ledger.fold(total("gross", 10, label=BEGIN, first_at=BEGIN, **fields), event(OrderAcknowledged, CUT, CUT, order="O1"))
    ledger.tick(CUT)
    ledger.fold(event(OrderCompleted, CUT, CUT + 1, order="O1", operation=""))
    ledger.tick(CUT + 2)
    ledger.tick(CUT + HOUR)
    assert len(marks(ledger, AT_REST_ROWS)) == 1


def test_an_order_that_stirs_as_its_figures_are_told_leaves_no_old_mark() -> None:
    """Another material is made of it, at the tick of a full hour: its posting waits for the end of the shift, and a take-over
    knows it."""
    ledger = Ledger(configuration(rules={"post": [{"kind": "yield", "when": ["shift_end"]}]}))
    completed(ledger)
    late = CUT + 2 * HOUR
    ledger.fold(total("gross", 3, label=late, first_at=late, source_key="B", material="4712"))
    ledger.tick(late)
    assert marks(ledger, AT_REST_ROWS) == []
    ledger.restart()
    assert [(one.material, one.amount) for one in ledger.tick(at("22:00"))] == [("4712", 3)]


@pytest.mark.parametrize("restart", [False, True])
def test_what_was_dropped_stays_so_under_a_new_configuration(restart: bool) -> None:
    """Three pieces too many were dropped; the new configuration would allow them. Something else of the order waits meanwhile, so
    that it is open again."""
    rules = {"post": [{"kind": "yield", "when": ["shift_end"]}]}
    generous = configuration(rules={**rules, "order": {"over_delivery": "unlimited"}})
    ledger = Ledger(configuration(rules=rules), generous)
    ledger.fold(released(BEGIN, items=[item(quantity=7), item("4712")]))
    ledger.fold(total("gross", 10, label=BEGIN, first_at=BEGIN), event(OrderAcknowledged, CUT, CUT, order="O1"))
    assert [one.amount for one in ledger.tick(CUT)] == [7]
    drop = {"code": "OVER_DELIVERY", "decision": "drop", "who": "me", "why": "scrapped", "account": "", "posting_id": ""}
    ledger.fold(event(OperatorDecision, CUT, CUT + 1, order="O1", **drop))
    ledger.fold(event(OrderCompleted, CUT, CUT + 1, order="O1", operation=""))
    ledger.tick(CUT + 2)
    ledger.tick(CUT + HOUR)
    assert len(marks(ledger, AT_REST_ROWS)) == 1
    if restart:
        ledger.restart()
    late = CUT + HOUR + 1
    ledger.fold(total("gross", 3, label=late, first_at=late, source_key="B", material="4712"))
    ledger.tick(late)
    ledger.fold(ConfigActivated(PLANT, generous.hash, late + 1, "intake"))
    ledger.tick(late + 2)
    ledger.tick(late + 3)
    assert [(one.material, one.amount) for one in ledger.tick(at("22:00"))] == [("4712", 3)]


MANY = 170
"""Orders at rest with one material; three ticks and a bit."""


def boxes(label: int, pieces: int, since: int = 0) -> Any:
    """Told at `label`; boxes are so from `since` on."""
    fields = {"material": "4711", "unit": "BOX", "decimals": 0, "batch_managed": False}
    return event(MaterialChanged, since or label, label, conversions=[f"1 BOX = {pieces} PC"], **fields)


def packing() -> Ledger:
    """A plant that posts each box at once."""
    return Ledger(configuration(rules={"post": [{"kind": "yield", "when": ["shift_end", "every 1 BOX"]}]}))


def in_boxes(ledger: Ledger) -> list[str]:
    """Of each order four pieces, which fill no box of ten: nothing of them is posted."""
    names = [f"O{n:03}" for n in range(MANY)]
    resting(ledger, *names)
    return names


def resting(ledger: Ledger, *names: str, pieces: int = 4) -> None:
    """Orders at rest of which so many pieces were made while a box had ten. The ERP books boxes."""
    ledger.fold(boxes(BEGIN - HOUR, 10))
    for name in names:
        made = total("gross", pieces, label=BEGIN, first_at=BEGIN, order=name, source_key=name)
        ledger.fold(released(BEGIN, order=name), made, event(OrderAcknowledged, CUT, CUT, order=name))
    assert [one.amount for one in ledger.tick(CUT)] == [pieces // 10] * len(names) * (pieces >= 10)
    for name in names:
        taken(ledger, name)
        ledger.fold(event(OrderHandedOver, CUT, CUT + 1, order=name))
    ledger.tick(CUT + 2)
    ledger.tick(CUT + HOUR)
    assert len(marks(ledger, AT_REST_ROWS)) == len(names)


@pytest.mark.parametrize("restart", [False, True])
def test_master_data_of_many_orders_at_rest_is_looked_at_some_at_each_tick(restart: bool) -> None:
    """In their order, each once; a process that takes over goes on where the one before was."""
    ledger = packing()
    names, found, sizes = in_boxes(ledger), list[tuple[str, int]](), list[int]()
    ledger.fold(boxes(CUT + HOUR + 1, 4, since=BEGIN), released(CUT + HOUR + 1, order="OPEN"))
    ledger.fold(total("gross", 1, label=CUT + HOUR + 1, order="OPEN", source_key="S"))
    for n in range(6):
        if restart:
            ledger.restart()
        issued = ledger.tick(CUT + HOUR + 2 + n)
        found += [(one.order, one.amount) for one in issued]
        sizes.append(len(issued))
    assert found == [(name, 1) for name in names], "a box of each order, once"
    assert sizes == [MOST_WOKEN_PER_TICK] * 3 + [MANY - 3 * MOST_WOKEN_PER_TICK, 0, 0]
    assert marks(ledger, WAKING_ROWS) == []


def test_master_data_that_changes_again_begins_anew_and_the_end_of_the_input_waits_for_nothing() -> None:
    ledger = packing()
    names = in_boxes(ledger)
    ledger.fold(boxes(CUT + HOUR + 1, 4, since=BEGIN))
    assert [one.amount for one in ledger.tick(CUT + HOUR + 2)] == [1] * MOST_WOKEN_PER_TICK
    ledger.fold(boxes(CUT + HOUR + 3, 2, since=BEGIN))
    made = ledger.tick(CUT + HOUR + 4, final=True)
    sums = {name: sum(one.amount for one in made if one.order == name) for name in names}
    assert sums == {name: 0 if n < MOST_WOKEN_PER_TICK else 2 for n, name in enumerate(names)}, "what was posted stays"
    assert marks(ledger, WAKING_ROWS) == []


def test_master_data_that_says_the_same_again_wakes_nobody() -> None:
    ledger = packing()
    in_boxes(ledger)
    ledger.restart()
    ledger.fold(boxes(CUT + HOUR + 1, 10))
    ledger.step.take("production.totals")
    assert ledger.tick(CUT + HOUR + 2) == []
    assert ledger.step.take("production.totals") == []
    assert len(marks(ledger, AT_REST_ROWS)) == MANY


def test_whether_an_order_at_rest_uses_a_material_is_known_without_reading_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = packing()
    in_boxes(ledger)
    ledger.restart()
    memory = OrdersMemory(ledger.step.rows)
    for _ in memory.remember():
        pass
    monkeypatch.setattr(ledger.step.rows, "names", lambda prefix: pytest.fail(f"a scan of {prefix}"))
    assert memory.uses(PLANT, "4711")
    assert not memory.uses(PLANT, "4712")
