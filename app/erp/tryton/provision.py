"""Master data and open orders for a Tryton of our own, from the records that the shop floor works with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.erp.connector import OpeningStock
from app.erp.tryton.adapter import DEFAULT_UNITS
from app.erp.tryton.orders import Names, Order, bom_values, order_values
from app.erp.tryton.rpc import TrytonRpc
from app.erp.tryton.server import TrytonServer
from schemas.records import Component, MaterialChanged, OrderItem

PLENTY = Decimal("1000000000")
"""Opening stock of a component that is not managed in lots: more than a demonstration consumes."""
TIME_UNITS = ("h", "min", "s", "ms")
_BATCH_TYPES = ["storage", "production", "lost_found"]


@dataclass(slots=True)
class _Material:
    unit: str
    decimals: int
    batch_managed: bool
    conversions: Sequence[str] = ()


async def provision(
    server: TrytonServer,
    orders: Sequence[Order],
    materials: Sequence[MaterialChanged],
    stock: Sequence[OpeningStock] = (),
    units: Mapping[str, str] = DEFAULT_UNITS,
) -> None:
    """Units, materials, locations, one running production order with its own bill of material per order number, and stock:
    `stock`, and plenty of each component without lots where its order issues it. To be called once per server, with
    everything. A material that only orders name takes the unit they use; of several records of an order the last counts.
    Raises app.erp.tryton.rpc.Failure."""
    rpc = server.admin()
    try:
        known = _materials(orders, materials)
        wanted = {units.get(m.unit, m.unit): 0 for m in known.values()} | dict.fromkeys(TIME_UNITS, 0)
        for material in known.values():
            symbol = units.get(material.unit, material.unit)
            wanted[symbol] = max(wanted[symbol], material.decimals)
        unit_ids = await _units(rpc, wanted)
        products = await _products(rpc, known, {unit: unit_ids[units.get(unit, unit)] for unit in _used(known)})
        locations = await _locations(rpc, orders, stock)
        await _stock(rpc, _opening(orders, known, stock), known, products, locations, unit_ids, units)
        await _orders(rpc, orders, known, products, locations, unit_ids, units)
    finally:
        await rpc.close()


def _used(known: Mapping[str, _Material]) -> set[str]:
    return {material.unit for material in known.values()}


def _materials(orders: Iterable[Order], materials: Iterable[MaterialChanged]) -> dict[str, _Material]:
    known = {m.material: _Material(m.unit, m.decimals, m.batch_managed, m.conversions) for m in materials}
    for order in orders:
        parts: list[OrderItem | Component] = [*order.items, *order.components]
        for part in parts:
            material = known.setdefault(part.material, _Material(part.quantity.unit, part.quantity.scale, False))
            material.batch_managed |= part.batch_managed
    return known


def _opening(orders: Iterable[Order], known: Mapping[str, _Material], stock: Iterable[OpeningStock]) -> list[OpeningStock]:
    components = {(c.material, c.issue_location) for order in orders for c in order.components if not c.phantom}
    plenty = [OpeningStock(m, "", place, PLENTY) for m, place in sorted(components) if not known[m].batch_managed]
    return [*stock, *plenty]


async def _units(rpc: TrytonRpc, wanted: Mapping[str, int]) -> dict[str, int]:
    """Symbol -> id. Missing units are made, each in a category of its own (conversions differ by material); known ones
    get as many decimals as wanted."""
    rows = await _read(rpc, "product.uom", [["symbol", "in", sorted(wanted)]], ["symbol", "digits", "category"])
    ids = {row["symbol"]: row["id"] for row in rows}
    for row in rows:
        if wanted[row["symbol"]] > row["digits"]:
            await rpc.call("product.uom", "write", [row["id"]], _precision(wanted[row["symbol"]]))
    missing = sorted(wanted.keys() - ids.keys())
    if not missing:
        return ids
    times = [row["category"] for row in rows if row["symbol"] == "s"]
    own = [symbol for symbol in missing if symbol != "ms"]
    made = await rpc.call("product.uom.category", "create", [{"name": symbol} for symbol in own]) if own else []
    categories = {**dict(zip(own, made, strict=True)), "ms": times[0]}
    values = [
        {
            "name": symbol,
            "symbol": symbol,
            "category": categories[symbol],
            "rate": 1000.0 if symbol == "ms" else 1.0,
            "factor": 0.001 if symbol == "ms" else 1.0,
            **_precision(wanted[symbol]),
        }
        for symbol in missing
    ]
    ids.update(zip(missing, await rpc.call("product.uom", "create", values), strict=True))
    return ids


def _precision(decimals: int) -> dict[str, Any]:
    return {"digits": decimals, "rounding": float(Decimal(1).scaleb(-decimals))}


async def _products(rpc: TrytonRpc, known: Mapping[str, _Material], unit_ids: Mapping[str, int]) -> dict[str, int]:
    templates = [
        {
            "name": code,
            "code": "",
            "default_uom": unit_ids[material.unit],
            "type": "goods",
            "list_price": Decimal(0),
            "cost_price_method": "fixed",
            "producible": True,
            "lot_required": _BATCH_TYPES if material.batch_managed else [],
            "products": [
                [
                    "create",
                    [
                        {
                            "suffix_code": code,
                            "cost_price": Decimal(0),
                            "shop_floor_units": "\n".join(material.conversions),
                        }
                    ],
                ]
            ],
        }
        for code, material in known.items()
    ]
    if templates:
        await rpc.call("product.template", "create", templates)
    rows = await _read(rpc, "product.product", [["code", "in", sorted(known)]], ["code"])
    return {row["code"]: row["id"] for row in rows}


async def _locations(rpc: TrytonRpc, orders: Iterable[Order], stock: Iterable[OpeningStock]) -> dict[str, int]:
    """Code -> id, "" being the storage zone of the (only) warehouse."""
    named = {item.receipt_location for order in orders for item in order.items}
    named |= {component.issue_location for order in orders for component in order.components}
    named |= {one.location for one in stock}
    (warehouse,) = await _read(rpc, "stock.location", [["type", "=", "warehouse"]], ["storage_location"])
    rows = await _read(rpc, "stock.location", [["code", "in", sorted(named - {""})]], ["code"])
    ids = {"": warehouse["storage_location"]} | {row["code"]: row["id"] for row in rows}
    missing = sorted(named - ids.keys())
    if missing:
        values = [{"name": code, "code": code, "type": "storage", "parent": ids[""]} for code in missing]
        ids.update(zip(missing, await rpc.call("stock.location", "create", values), strict=True))
    return ids


async def _stock(
    rpc: TrytonRpc,
    opening: Sequence[OpeningStock],
    known: Mapping[str, _Material],
    products: Mapping[str, int],
    locations: Mapping[str, int],
    unit_ids: Mapping[str, int],
    units: Mapping[str, str],
) -> None:
    if not opening:
        return
    names = sorted({(one.material, one.lot) for one in opening if one.lot})
    values = [{"product": products[material], "number": lot} for material, lot in names]
    made = await rpc.call("stock.lot", "create", values) if values else []
    lots = dict(zip(names, made, strict=True))
    (supplier,) = await rpc.call("stock.location", "search", [["type", "=", "supplier"]], 0, 1, None)
    (currency,) = await rpc.call("currency.currency", "search", [], 0, 1, None)
    moves = [
        {
            "product": products[one.material],
            "unit": unit_ids[units.get(known[one.material].unit, known[one.material].unit)],
            "quantity": one.quantity,
            "lot": lots.get((one.material, one.lot)),
            "from_location": supplier,
            "to_location": locations[one.location],
            "unit_price": Decimal(0),
            "currency": currency,
        }
        for one in opening
    ]
    await rpc.call("stock.move", "do", await rpc.call("stock.move", "create", moves))


async def _orders(
    rpc: TrytonRpc,
    orders: Iterable[Order],
    known: Mapping[str, _Material],
    products: Mapping[str, int],
    locations: Mapping[str, int],
    unit_ids: Mapping[str, int],
    units: Mapping[str, str],
) -> None:
    latest = {order.order: order for order in orders if order.items}
    if not latest:
        return
    names = Names(
        products,
        locations,
        lambda unit: unit_ids[units.get(unit, unit)],
        lambda material: known[material].unit,
        lambda material: known[material].decimals,
    )
    boms = await rpc.call("production.bom", "create", [bom_values(order, names) for order in latest.values()])
    values = [order_values(order, bom, names) for order, bom in zip(latest.values(), boms, strict=True)]
    made = await rpc.call("production", "create", values)
    # Without planned inputs there is nothing to assign: three steps lead to "running".
    for step in ("wait", "assign_try", "run"):
        await rpc.call("production", step, made)


async def _read(rpc: TrytonRpc, model: str, domain: list[Any], fields: list[str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = await rpc.call(model, "search_read", domain, 0, None, None, fields)
    return rows
