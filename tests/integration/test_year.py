"""A year of orders through the folds of orders and delivery: what is kept does not grow with the year."""

import os
from collections import Counter
from typing import Any

import pytest

from schemas.catalog import DAY_US, catalog
from schemas.records import AttemptEnded, ConfigActivated, OrderCompleted, Outcome, Tick
from streams.delivery.stage import DeliveryStage
from streams.memory_step import MemoryStep
from streams.orders.retention import MOST_PER_TICK
from tables.delivery.outbox import Dispatch
from tables.row_kinds import CLOSED_ACCOUNT_ROWS, ORDER_ROWS, POSTING_ROWS
from tests.unit.streams.ledger_bench import Ledger, released, total
from tests.unit.streams.test_public_retention import Consumer
from tests.unit.tables.floor_bench import PLANT, at, configuration, event

ORDERS_A_DAY = int(os.environ.get("LINELEDGER_YEAR_ORDERS", "40"))
"""`make test-deep` takes 500, as a plant has; the shape is the same."""
DAYS = 365
RULES = {"post": [{"kind": "yield", "when": ["shift_end", "order_completed"]}]}
BEGIN = at("06:00")


class Plant:
    """Orders and delivery, one partition each, and an ERP that takes everything at once."""

    def __init__(self) -> None:
        self.orders, self.consumer = Ledger(configuration(rules=RULES)), Consumer()
        self.step, self.stage = MemoryStep("delivery.inbox"), DeliveryStage(self.orders.topology)
        self.stage.taken_over(self.step)
        self._deliver(ConfigActivated(PLANT, self.orders.configurations[0].hash, 0, "orders"))

    def tick(self, now: int) -> None:
        self.orders.tick(now)
        made, self.orders.postings = self.orders.postings, []
        self.consumer.read(self.orders.step)
        self._deliver(*made)
        self._deliver(
            *(Tick(PLANT, now, name) for name in self.orders.topology.upstreams("delivery", self.orders.configurations[0]))
        )
        while entries := self._taken():
            self._deliver(
                *(AttemptEnded(one.posting_id, one.attempt, "accepted", "post", erp_document=one.posting_id) for one in entries)
            )
        told = [sent.record for sent in self.step.sent if isinstance(sent.record, Outcome)]
        self.step.sent.clear()
        if told:
            self.orders.fold(*told)

    def _deliver(self, *records: Any) -> None:
        if records:
            self.step.deliver(*records)
            self.stage.fold(self.step)

    def _taken(self) -> list[Dispatch]:
        entries, self.step.released = self.step.released, []
        return [entry for entry in entries if isinstance(entry, Dispatch)]

    def kinds(self) -> dict[str, int]:
        """Rows by stage and prefix."""
        found: dict[str, int] = {}
        for stage, step in (("orders", self.orders.step), ("delivery", self.step)):
            for key in step.rows.rows:
                prefix = key[:2]
                assert prefix in catalog().rows[stage], f"{stage} {key} is no kind of row in the register"
                found[f"{stage} {prefix}"] = found.get(f"{stage} {prefix}", 0) + 1
        found.update(Counter(f"public {topic}" for topic, _ in self.consumer.kept))
        return found


def _accepted(entry: Dispatch) -> AttemptEnded:
    return AttemptEnded(entry.posting_id, entry.attempt, "accepted", "post", erp_document=entry.posting_id)


@pytest.mark.slow
def test_a_year_leaves_what_is_open_and_what_is_kept() -> None:
    plant, kept = Plant(), []
    for day in range(DAYS):
        morning = BEGIN + day * DAY_US
        names = [f"O{day}-{n}" for n in range(ORDERS_A_DAY)]
        for name in names:
            made = total(
                "gross", 100, label=morning + 1, first_at=morning, last_at=morning + 1, order=name, source_key=name, lot=name
            )
            plant.orders.fold(released(morning, order=name), made)
        plant.tick(morning + 2)
        plant.orders.fold(*(event(OrderCompleted, morning + 3, morning + 3, order=name, operation="") for name in names))
        for n in range(1 + ORDERS_A_DAY // MOST_PER_TICK):
            plant.tick(morning + DAY_US // 2 + n)
        kept.append(plant.kinds())
    order_days = ORDER_ROWS.keep_us // DAY_US + 7 + 1  # and the horizon, and today
    bounds = {
        "orders o|": order_days,
        "orders a|": order_days * 2,
        "delivery p|": POSTING_ROWS.keep_us // DAY_US + 1,
        "public orders.state": order_days,
        "public mes.orders": order_days,
        "public production.kpis": order_days * 8,
        "delivery c|": CLOSED_ACCOUNT_ROWS.keep_us // DAY_US + 1,
    }
    for kind, days in bounds.items():
        assert 0 < kept[-1][kind] <= days * ORDERS_A_DAY, kind
    assert kept[-1] == kept[200], "a year keeps no more than 200 days"
    print(f"{DAYS} days of {ORDERS_A_DAY} orders: {kept[-1]} rows kept")
