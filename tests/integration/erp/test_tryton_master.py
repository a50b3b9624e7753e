"""Orders, bills of material, materials and lots come from Tryton: pulled, mapped by the fixed source, folded by orders."""

from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest

from app.erp.master import MasterChanges, PulledItem, PulledOperation, PulledOrder, WrittenStates, lines_of
from app.erp.sim.adapter import SimAdapter
from app.erp.simulator.control import SimulatorControl
from app.erp.simulator.process import SimulatorProcess
from app.erp.tryton.adapter import TrytonAdapter
from app.erp.tryton.server import TrytonServer
from schemas.configuration import PlantConfig
from schemas.configuration.erp_source import ERP_SOURCE
from schemas.records import LotCreated, MaterialChanged, OrderChanged, OrderReleased, OrderRow
from streams.mapping import RawRecord, compile_source
from tables.orders.order import released
from tests.integration.erp.contract import RESIN, RESIN_LOT, master_data

PLANT = PlantConfig.model_validate({"plant": {"id": "K"}, "master_data": {"orders": "erp", "materials": "erp"}, "sources": {}})
AT = datetime(2026, 1, 15, 6, tzinfo=UTC)


def mapped(changes: MasterChanges, seen: WrittenStates) -> list[Any]:
    """What intake makes of a pull."""
    mapper = compile_source(ERP_SOURCE, PLANT.sources[ERP_SOURCE], PLANT)
    lines = list(lines_of(changes, AT, seen))
    return [item for number, line in enumerate(lines, 1) for item in mapper.map(RawRecord(line, ERP_SOURCE, "erp", number))]


def of(items: list[Any], kind: type, **fields: Any) -> list[Any]:
    chosen = [item for item in items if type(item) is kind]
    return [item for item in chosen if all(getattr(item, name) == value for name, value in fields.items())]


def need(part: Any) -> Fraction:
    return Fraction(part.quantity.amount, 10**part.quantity.scale) / part.base


def quantity(item: Any) -> Fraction:
    return Fraction(item.quantity.amount, 10**item.quantity.scale)


@pytest.mark.tryton
async def test_an_order_comes_back_as_it_was_planned(adapter: TrytonAdapter, order: str) -> None:
    """All of the contract's master data, through Tryton's own tables and the mapping, to the same order."""
    items = mapped(await adapter.master_data(""), WrittenStates())
    (planned,), materials = master_data([order])
    (pulled,) = of(items, OrderReleased, order=order)
    assert [entry.to_avro() for entry in pulled.operations] == [entry.to_avro() for entry in planned.operations]
    for mine, theirs in zip(pulled.items, planned.items, strict=True):
        assert quantity(mine) == quantity(theirs)
        assert replace(mine, quantity=theirs.quantity) == replace(theirs, batch_managed=mine.batch_managed)
    for mine, theirs in zip(pulled.components, planned.components, strict=True):
        assert need(mine) == need(theirs), "exact, whatever the quantity that the bill of material is for"
        assert replace(mine, quantity=theirs.quantity, base=theirs.base) == replace(theirs, batch_managed=mine.batch_managed)
    for material in materials:
        (known,) = of(items, MaterialChanged, material=material.material)
        assert (known.unit, known.batch_managed, known.conversions) == (
            material.unit,
            material.batch_managed,
            material.conversions,
        )
    (lot,) = of(items, LotCreated, material=RESIN, lot=RESIN_LOT)
    assert lot.quantity is not None and quantity(lot) > 0


@pytest.mark.tryton
async def test_a_change_is_pulled_once_and_changes_the_ledgers_order(
    tryton: TrytonServer, adapter: TrytonAdapter, order: str
) -> None:
    seen = WrittenStates()
    first = await adapter.master_data("")
    (before,) = of(mapped(first, seen), OrderReleased, order=order)
    assert of(mapped(await adapter.master_data(first.until), seen), OrderChanged) == [], "nothing changed"
    admin = tryton.admin()
    domain = [["bom.name", "=", order], ["shop_floor_role", "=", "main"]]
    (output,) = await admin.call("production.bom.output", "search", domain, 0, None, None)
    await admin.call("production.bom.output", "write", [output], {"shop_floor_over_delivery": "unlimited"})
    await admin.close()
    second = await adapter.master_data(first.until)
    items = mapped(second, seen)
    (after,) = of(items, OrderChanged)
    assert after.order == order
    assert of(items, OrderReleased) == of(items, MaterialChanged) == []
    assert int(after.change_number) > int(before.change_number)
    row = OrderRow("K", order)
    assert released(row, before) and released(row, after)
    assert [item.over_delivery for item in row.items if item.role == "main"] == ["unlimited"]
    assert not released(row, before), "what is older than the order's change number changes nothing"
    assert list(lines_of(await adapter.master_data(second.until), AT, seen)) == [], "a pull without news writes nothing"


async def test_the_simulator_gives_what_was_planned_since(tmp_path: Any) -> None:
    """The same port, the simulated ERP: two plans, the second question gets the second only."""

    def planned(number: str, changed: str) -> MasterChanges:
        item = PulledItem(item="1", material="4711", quantity="100", unit="PC")
        order = PulledOrder(
            changed=changed, order=number, status="released", items=[item], operations=[PulledOperation(operation="10")]
        )
        return MasterChanges("", orders=[order])

    with SimulatorProcess(tmp_path) as simulator:
        control, adapter = SimulatorControl(simulator.url, simulator.token), SimAdapter(simulator.url, simulator.token)
        seen = WrittenStates()
        await control.plan(planned("1", "1"))
        first = await adapter.master_data("")
        await control.plan(planned("1", "2"))
        await control.plan(planned("2", "1"))
        second = await adapter.master_data(first.until)
        third = await adapter.master_data(second.until)
        await control.close()
        await adapter.close()
    assert [(type(item).__name__, item.order) for item in mapped(first, seen)] == [("OrderReleased", "1")]
    assert [(type(item).__name__, item.order) for item in mapped(second, seen)] == [("OrderChanged", "1"), ("OrderReleased", "2")]
    assert third.empty
