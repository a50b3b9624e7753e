"""What a consumer of the compacted public topics keeps: what is open plus retention, as the rows behind them."""

from typing import Any

from schemas.catalog import DAY_US, catalog
from schemas.records import LotCreated, OrderAcknowledged, OrderCompleted, Outcome
from streams import public_rows
from streams.memory_step import MemoryStep, Sent
from tables.orders.account import account_key
from tables.row_kinds import LOT_ROWS, ORDER_ROWS
from tests.unit.streams import quality_bench
from tests.unit.streams.ledger_bench import CUT, Ledger, operation, released, total
from tests.unit.streams.quality_bench import S
from tests.unit.streams.test_lots import Lots
from tests.unit.tables.floor_bench import HOUR, PLANT, at, configuration, event

RULES = {"post": [{"kind": "yield", "when": ["shift_end", "order_completed"]}]}
BEGIN = at("08:00")
KEEP = ORDER_ROWS.keep_us + 7 * DAY_US
"""And the horizon."""


class Consumer:
    """The newest record of each key, as a reader of the topics has it."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Any] = {}
        self.topics = {name for name, topic in catalog().topics.items() if topic.public and topic.retention == "compact"}

    def read(self, step: MemoryStep) -> None:
        sent: list[Sent] = step.sent
        for one in sent:
            if one.topic in self.topics and one.record is None:
                self.kept.pop((one.topic, one.key), None)
            elif one.topic in self.topics:
                self.kept[one.topic, one.key] = one.record
        step.sent.clear()


def begun(ledger: Ledger, label: int, order: str = "O1") -> None:
    line = [operation(receipt=False, planned_cycle_ms=1000), operation("20")]
    ledger.fold(released(label, order=order, operations=line, planned_start=label, planned_end=label + HOUR))
    ledger.fold(total("gross", 10, label=label, first_at=label, last_at=label, order=order, source_key=order))
    time = total(
        "machine_time", 60_000, label=label, first_at=label, last_at=label, order=order, source_key=f"{order}|t", unit="ms"
    )
    ledger.fold(time, event(OrderAcknowledged, label, label, order=order))


def accepted(ledger: Ledger) -> None:
    for row in ledger.accounts().values():
        for posting in row.issued:
            ledger.fold(Outcome(PLANT, row.order, account_key(row), posting.posting_id, "accepted", 1, erp_document="D"))


def over(ledger: Ledger, now: int) -> None:
    """Completed late: a confirmation of zero says so."""
    accepted(ledger)
    ledger.fold(event(OrderCompleted, now, now + 1, order="O1", operation=""))
    ledger.tick(now + 2)
    accepted(ledger)
    ledger.tick(now + HOUR)


def test_an_order_that_is_forgotten_leaves_nothing_in_the_public_topics() -> None:
    ledger, consumer = Ledger(configuration(rules=RULES)), Consumer()
    begun(ledger, BEGIN)
    begun(ledger, BEGIN, "OPEN")
    ledger.tick(CUT)
    over(ledger, CUT)
    consumer.read(ledger.step)
    kinds = {record.kpi for (topic, key), record in consumer.kept.items() if topic == "production.kpis" and "|O1" in key}
    assert kinds >= {"release_to_dispatch", "wip", "cycle", "cycle_to_plan", "exception_age", "schedule_end"}
    ledger.restart()
    ledger.tick(CUT + HOUR + KEEP)
    consumer.read(ledger.step)
    assert {key for _, key in consumer.kept if "|O1" in key} == set()
    assert {topic for topic, key in consumer.kept if "|OPEN" in key} == {"orders.state", "mes.orders", "production.kpis"}


def test_an_order_that_comes_again_is_told_again() -> None:
    ledger, consumer = Ledger(configuration(rules=RULES)), Consumer()
    begun(ledger, BEGIN)
    ledger.tick(CUT)
    over(ledger, CUT)
    again = CUT + HOUR + KEEP
    ledger.tick(again)
    begun(ledger, again + 1)
    ledger.tick(again + DAY_US)
    consumer.read(ledger.step)
    assert {topic for topic, key in consumer.kept if "|O1" in key} == {"orders.state", "mes.orders", "production.kpis"}


def test_a_lot_that_is_forgotten_leaves_nothing_and_one_on_hold_stays() -> None:
    lots, consumer = Lots(), Consumer()
    lots.clock(S)
    lots.fold(quality_bench.event(LotCreated, "L1", S, order=""), quality_bench.event(LotCreated, "L2", S, order=""))
    lots.fold(quality_bench.placed("L1", "H", 1, S), quality_bench.placed("L2", "H", 1, S))
    lots.fold(quality_bench.released("L1", "H", 2, 2 * S))
    lots.clock(3 * S)
    consumer.read(lots.step)
    assert {key for _, key in consumer.kept} == {"P|4711|L1", "P|4711|L2"}
    lots.clock(3 * S + LOT_ROWS.keep_us)
    consumer.read(lots.step)
    assert set(consumer.kept) == {("quality.lot-states", "P|4711|L2"), ("wms.shipment-blocks", "P|4711|L2")}


def test_every_compacted_public_topic_forgets_or_is_bounded_by_the_installation_or_is_the_ledger() -> None:
    forget = {"orders.state", "mes.orders", "production.kpis", "quality.lot-states", "wms.shipment-blocks"}
    compacted = {name for name, topic in catalog().topics.items() if topic.public and topic.retention == "compact"}
    ledger = {one.topic for stage in catalog().writes for one in public_rows.of(stage)}
    assert ledger == {"ledger.postings", "ledger.accounts"}
    assert compacted == forget | ledger | {"plant.upstreams"}
