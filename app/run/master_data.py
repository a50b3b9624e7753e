"""Orders, materials and opening stock that recorded input contains: for an ERP that a run starts empty."""

from collections.abc import Sequence
from decimal import Decimal

from app.erp.connector import ErpMasterData, OpeningStock
from app.inputs.input_files import InputFile
from app.inputs.recorded_input import merged
from schemas.configuration import PlantConfig
from schemas.records import Component, LotCreated, MaterialChanged, OrderChanged, OrderItem, OrderReleased
from streams.mapping import compile_source

MASTER_EVENTS = frozenset({"OrderReleased", "OrderChanged", "MaterialChanged", "LotCreated"})


def master_data(files: Sequence[InputFile], plant: PlantConfig, private_key: bytes) -> ErpMasterData:
    """Read only the sources that state master data. ErpMasterData stock goes to the issue location of its users."""
    stating = {name for name, source in plant.sources.items() if any(rule.emit in MASTER_EVENTS for rule in source.emissions)}
    mappers = {name: compile_source(name, plant.sources[name], plant, private_key) for name in stating}
    orders: dict[str, OrderReleased | OrderChanged] = {}
    materials: dict[str, MaterialChanged] = {}
    lots: list[LotCreated] = []
    for record in merged([file for file in files if file.source in stating], plant, private_key):
        for item in mappers[record.source].map(record):
            if isinstance(item, OrderReleased | OrderChanged):
                orders[item.order] = item
            elif isinstance(item, MaterialChanged):
                materials[item.material] = item
            elif isinstance(item, LotCreated) and item.quantity is not None:
                lots.append(item)
    for order in orders.values():
        parts: list[OrderItem | Component] = [*order.items, *order.components]
        for part in parts:
            materials.setdefault(part.material, _implied(order, part))
    places = {component.material: component.issue_location for order in orders.values() for component in order.components}
    stock = [
        OpeningStock(
            lot.material, lot.lot, places.get(lot.material, ""), Decimal(lot.quantity.amount).scaleb(-lot.quantity.scale)
        )
        for lot in lots
        if lot.quantity is not None
    ]
    return ErpMasterData(list(orders.values()), list(materials.values()), stock)


def _implied(order: OrderReleased | OrderChanged, part: OrderItem | Component) -> MaterialChanged:
    """A material that no master record describes, as the order uses it: an ERP that starts empty must know it."""
    return MaterialChanged(
        event_id=f"{order.event_id}|{part.material}",
        plant=order.plant,
        occurred_at=order.occurred_at,
        received_at=order.received_at,
        source=order.source,
        raw_source=order.raw_source,
        raw_offset=order.raw_offset,
        material=part.material,
        unit=part.quantity.unit,
        decimals=part.quantity.scale,
        batch_managed=part.batch_managed,
    )
