"""Master data of the generated shift, read back through the demo's own mapping: what an ERP must know before postings."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from app.configuration import load, mappers
from app.demo.plant_simulator import FILES
from app.erp.connector import OpeningStock
from schemas.configuration import Configuration
from schemas.configuration.adapters import ADAPTERS
from schemas.configuration.erp_source import ERP_SOURCE, erp_source
from schemas.configuration.mapping import Source
from schemas.configuration.plant import MasterData
from schemas.configuration.rules import Consumption
from schemas.records import LotCreated, MaterialChanged, OrderChanged, OrderReleased
from streams.mapping import RawRecord

CONFIGURATION = Path(__file__).parent / "plant"
"""plant.yaml, rules.yaml and erp.yaml of the demo."""
STOCK_LOCATION = "LINE"
DERIVED_MATERIAL = "BOX-48"
"""Packaging, mode erp_backflush."""
ORDERS_SOURCE = "erp_orders"


def configuration_for(erp: str) -> Configuration:
    """The demo's configuration. An ERP that derives nothing is a real one (Tryton): orders, materials and component lots come
    from it. It derives no components from a confirmation, so there the ledger backflushes them; and scrap is there what a
    production puts out to a scrap location."""
    configuration = load(CONFIGURATION)
    entry = ADAPTERS.get(erp)
    if entry is None or entry.derives:
        return configuration
    derived = Consumption(component=DERIVED_MATERIAL, by="ledger_backflush")
    rules = configuration.rules
    kept = [entry for entry in rules.consumption if entry.mode != "erp_backflush"]
    booking = configuration.erp.book["scrap"].model_copy(update={"by": "production_output"})
    book = {**configuration.erp.book, "scrap": booking}
    plant = configuration.plant
    source = Source.model_validate(erp_source(plant.plant.id, orders=True, materials=True))
    pulled = {"master_data": MasterData(orders="erp", materials="erp"), "sources": {**plant.sources, ERP_SOURCE: source}}
    return Configuration.of(
        plant.model_copy(update=pulled),
        rules.model_copy(update={"consumption": [*kept, derived]}),
        configuration.erp.model_copy(update={"book": book}),
    )


def from_erp(configuration: Configuration) -> bool:
    """Orders are pulled from the ERP; what the plan says of them only fills an ERP that starts empty."""
    return configuration.plant.master_data.orders == "erp"


def orders(directory: Path) -> list[OrderReleased | OrderChanged]:
    """The orders in `directory` (as `generate` filled it) with their latest content, in the order of their release."""
    latest: dict[str, OrderReleased | OrderChanged] = {}
    for record in _records(directory):
        if isinstance(record, OrderReleased | OrderChanged):
            latest[record.order] = record
    return list(latest.values())


def materials(directory: Path) -> list[MaterialChanged]:
    """Every material that the orders make or use."""
    return [record for record in _records(directory) if isinstance(record, MaterialChanged)]


def opening_stock(directory: Path) -> list[OpeningStock]:
    """The component lots that the shift consumes, with more than it consumes."""
    return [
        OpeningStock(record.material, record.lot, STOCK_LOCATION, Decimal(record.quantity.amount).scaleb(-record.quantity.scale))
        for record in _records(directory)
        if isinstance(record, LotCreated) and record.quantity is not None
    ]


def _records(directory: Path) -> list[Any]:
    name = FILES[ORDERS_SOURCE]
    mapper = mappers(load(CONFIGURATION))[ORDERS_SOURCE]
    lines = (directory / name).read_bytes().splitlines()
    return [item for offset, line in enumerate(lines, 1) for item in mapper.map(RawRecord(line, ORDERS_SOURCE, name, offset))]
