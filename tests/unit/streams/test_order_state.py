"""Orders tells the world: the order for the MES, the answer, the alarm, the public state, and key figures by log time."""

from typing import Any

import pytest

from schemas.records import (
    Kpi,
    MaterialChanged,
    MesOrder,
    OrderAcknowledged,
    OrderChanged,
    OrderCompleted,
    OrderHandedOver,
    OrderRejected,
    OrderState,
    QualityState,
)
from tests.unit.streams.ledger_bench import Ledger, item, operation, released, total
from tests.unit.tables.floor_bench import HOUR, MIN, PLANT, at, configuration, event

T = at("07:00")
MES = {"mes": {"acknowledge_within": "30 min", "work_centres": {"PRESS": ["M1", "M2"]}}}
OPERATIONS = [
    operation("10", False, work_centre="PRESS", planned_cycle_ms=2_000),
    operation("20", True, work_centre="M9", confirm="milestone"),
]


def ledger(*records: Any) -> Ledger:
    bench = Ledger(configuration({**MES, "equipment": {"*": {"counters": {"shots": {}}}, "M9": {}}}))
    bench.fold(*records)
    return bench


def order(label: int = T, **fields: Any) -> Any:
    return released(label, **{"operations": OPERATIONS, "components": [], "items": [item("4711")], **fields})


def sent(bench: Ledger, topic: str) -> list[Any]:
    return bench.step.take(topic)


def states(bench: Ledger) -> list[OrderState]:
    return sent(bench, "orders.state")


def test_a_released_order_goes_to_the_mes_with_the_plants_own_names() -> None:
    bench = ledger(order(planned_start=T, planned_end=T + HOUR))
    bench.tick(T)
    (mes,) = sent(bench, "mes.orders")
    assert isinstance(mes, MesOrder)
    assert [(entry.operation, entry.equipment) for entry in mes.operations] == [("10", ["M1", "M2"]), ("20", ["M9"])]
    assert (mes.acknowledge_by, mes.planned_end, mes.as_of) == (T + 30 * MIN, T + HOUR, T)
    bench.fold(order(T + MIN, cls=OrderChanged, change_number="2"))
    bench.tick(T + MIN)
    (changed,) = sent(bench, "mes.orders")
    assert (changed.change_number, changed.acknowledge_by) == ("2", T + 30 * MIN), "a change gives no more time"


def test_silence_of_the_mes_raises_one_alarm() -> None:
    bench = ledger(order())
    bench.tick(T + 30 * MIN - 1)
    assert sent(bench, "exceptions") == []
    bench.restart()
    bench.tick(T + 30 * MIN)
    (alarm,) = sent(bench, "exceptions")
    assert (alarm.code, alarm.plant) == ("ORDER_NOT_ACKNOWLEDGED", PLANT)
    assert "order O1 was released 30 min ago" in alarm.detail
    assert states(bench)[-1].overdue
    bench.tick(T + 31 * MIN)
    assert sent(bench, "exceptions") == [], "said once"
    bench.fold(event(OrderAcknowledged, T, T + 32 * MIN, order="O1"))
    bench.tick(T + 32 * MIN)
    (state,) = states(bench)
    assert (state.acknowledged, state.overdue) == (True, True)


@pytest.mark.parametrize(
    ("answer", "acknowledged", "rejected"),
    [
        (lambda: event(OrderAcknowledged, T, T + MIN, order="O1"), True, ""),
        (lambda: event(OrderRejected, T, T + MIN, order="O1", reason="no tool"), False, "no tool"),
    ],
)
def test_an_answer_in_time_raises_none(answer: Any, acknowledged: bool, rejected: str) -> None:
    bench = ledger(order(), answer())
    bench.tick(T + 2 * HOUR)
    alarms = [letter.code for letter in sent(bench, "exceptions")]
    assert alarms == (["ORDER_REJECTED"] if rejected else [])
    state = states(bench)[-1]
    assert (state.acknowledged, state.rejected, state.overdue) == (acknowledged, rejected, False)


def test_two_late_orders_are_two_alarms() -> None:
    bench = ledger(order(), order(order="O2"))
    bench.tick(T + HOUR)
    letters = sent(bench, "exceptions")
    assert len({letter.event_id for letter in letters}) == 2


def quality(label: int, **fields: Any) -> QualityState:
    values = {"plant": PLANT, "material": "4711", "lot": "L1", "held": False, "holds": [], "inbox_offset": 1, "order": "O1"}
    return QualityState(**{**values, "label": label, **fields})


def test_the_whole_life_of_an_order() -> None:
    """released, acknowledged, started, completed, cleared only when its inspection passed, staged, handed over."""
    bench = ledger(order())
    seen: list[tuple[bool, ...]] = []

    def now(moment: int, *records: Any) -> None:
        bench.fold(*records)
        bench.tick(moment)
        for s in states(bench):
            flags = (s.released, s.acknowledged, s.started, s.completed, s.quality_cleared, s.staged, s.handed_over)
            if not seen or seen[-1] != flags:
                seen.append(flags)

    now(T)
    now(T + MIN, event(OrderAcknowledged, T, T + MIN, order="O1"))
    now(T + 2 * MIN, total("gross", 50, operation="20", label=T + 2 * MIN, first_at=T + MIN, last_at=T + 2 * MIN))
    now(T + 3 * MIN, quality(T + 3 * MIN, open_inspections=1))
    now(T + 4 * MIN, event(OrderCompleted, T, T + 4 * MIN, order="O1", operation=""))
    now(T + 5 * MIN, quality(T + 5 * MIN))
    now(T + 6 * MIN, quality(T + 6 * MIN, staged=True))
    now(T + 7 * MIN, event(OrderHandedOver, T, T + 7 * MIN, order="O1"))
    life = [tuple(index < count for index in range(7)) for count in range(1, 8)]
    assert seen == life


def figures(bench: Ledger) -> dict[tuple[str, str], tuple[int, int, str]]:
    found: list[Kpi] = sent(bench, "production.kpis")
    return {(figure.kpi, figure.subject): (figure.numerator, figure.denominator, figure.unit) for figure in found}


def test_key_figures_each_full_hour_of_log_time() -> None:
    made = {"first_at": T + 10 * MIN, "last_at": T + 20 * MIN, "label": T + 20 * MIN}
    bench = ledger(
        order(planned_start=T + 5 * MIN),
        event(OrderAcknowledged, T, T + 4 * MIN, order="O1"),
        total("gross", 100, operation="10", source_key="a", **made),
        total("gross", 90, operation="20", source_key="b", **made),
        total("scrap", 4, operation="20", source_key="c", reason="burr", **made),
        total("machine_time", 250_000, operation="10", source_key="d", unit="ms", material="", lot="", **made),
    )
    bench.tick(at("07:59"))
    assert figures(bench) == {}
    bench.tick(at("08:00"))
    assert figures(bench) == {
        ("release_to_dispatch", "O1"): (4 * MIN, 1, "us"),
        ("schedule_start", "O1"): (5 * MIN, 1, "us"),
        ("wip", "O1|10"): (10, 1, "PC"),
        ("cycle", "O1|10"): (2_500, 1, "ms"),
        ("cycle_to_plan", "O1|10"): (5, 4, "ratio"),
        ("exception_age", "O1"): (0, 1, "us"),
    }
    bench.tick(at("08:30"))
    assert figures(bench) == {}


def test_negative_work_in_process_is_reported_and_a_parked_account_ages_with_its_owner() -> None:
    bench = ledger(
        order(items=[item("other")]),
        event(MaterialChanged, T, T, material="4711", unit="PC", decimals=0, batch_managed=False),
        total("gross", 5, operation="10", source_key="a", label=T + MIN),
        total("gross", 30, operation="20", source_key="b", label=T + MIN),
    )
    bench.tick(T + MIN)
    bench.tick(at("09:00"))
    found = [figure for figure in sent(bench, "production.kpis") if figure.kpi in ("wip", "exception_age")]
    assert [(f.kpi, f.numerator, f.code, f.owner) for f in found] == [
        ("wip", -25, "", ""),
        ("exception_age", 2 * HOUR - MIN, "MATERIAL_NOT_IN_ORDER", "controlling"),
    ]
