"""A tick that comes before the plant's configuration: kept, for its sender may have nothing more to say.

Senders are not ordered among each other. Behind orders and lots, delivery hears ticks of one before the configuration of the
other; the embedded broker shows a transaction before it ends, so that equipment's ticks can overtake intake's configuration.
"""

from typing import Any

import pytest

from schemas.records import ConfigActivated, Tick
from streams.clock import clock_of
from streams.delivery.stage import DeliveryStage
from streams.equipment.stage import EquipmentStage
from streams.lots.stage import LotsStage
from streams.memory_step import MemoryStep, MemoryTopology
from streams.orders.stage import OrdersStage
from tests.unit.streams.ledger_bench import PLANT, configuration

CONFIGURATION = configuration()
TOPOLOGY = MemoryTopology({CONFIGURATION.hash: CONFIGURATION}, partitions=2)
STAGES = {
    "equipment": lambda: EquipmentStage(TOPOLOGY),
    "lots": lambda: LotsStage(TOPOLOGY),
    "orders": lambda: OrdersStage(TOPOLOGY),
    "delivery": lambda: DeliveryStage(TOPOLOGY, recorded=True),
}


@pytest.mark.parametrize("stage", STAGES)
def test_it_counts_when_the_configuration_has_come(stage: str) -> None:
    fold: Any = STAGES[stage]()
    step = MemoryStep(f"{stage}.inbox")
    fold.taken_over(step)
    upstreams = TOPOLOGY.upstreams(stage, CONFIGURATION)
    brings, *others = upstreams
    early = [Tick(PLANT, 60, name, final=True) for name in others]
    for record in (*early, ConfigActivated(PLANT, CONFIGURATION.hash, 0, brings), Tick(PLANT, 60, brings, final=True)):
        step.deliver(record)
        fold.fold(step)
    assert clock_of(step.state, PLANT, upstreams) == 60
    onward = [record.at for record in step.take() if isinstance(record, Tick)]
    assert (onward and set(onward) == {60}) or stage == "delivery", "nobody feeds on delivery's clock"


@pytest.mark.parametrize("stage", STAGES)
def test_it_moves_nothing_by_itself(stage: str) -> None:
    fold: Any = STAGES[stage]()
    step = MemoryStep(f"{stage}.inbox")
    fold.taken_over(step)
    for name in TOPOLOGY.upstreams(stage, CONFIGURATION):
        step.deliver(Tick(PLANT, 60, name))
        fold.fold(step)
    assert step.take() == []
    assert all(at == 60 for at in step.state.clocks.values())
    assert len(step.state.clocks) == len(TOPOLOGY.upstreams(stage, CONFIGURATION))
