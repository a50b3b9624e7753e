"""What the ERP publishes before the shift (source `erp_orders`): materials, component lots in stock, orders."""

import json
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from app.demo.lines import Line
from app.demo.plan import Plan, PlannedOrder
from app.demo.recordings import TOOL_ROOM, ToolRoomOrder
from app.demo.shift import at_minute, iso
from app.demo.truth import Account, ordered

CHANGED = "1001203"
"""First released with far less, then changed before the shift."""
FIRST_QUANTITY = 500


def erp_lines(plan: Plan, accounts: dict[Account, Fraction]) -> list[Line]:
    """Materials, then lots, then orders, then the one order that was changed; all received before the shift."""
    return [_line(number, *message) for number, message in enumerate(_messages(plan, accounts), 1)]


def _line(number: int, minute: int, document: str, fields: dict[str, Any]) -> Line:
    at = at_minute(minute) + number * 100
    received = at + 1_500
    text = {"doc": document, "sent": iso(at), "rx": iso(received), **fields}
    return Line(received, at, number, fields["type"], json.dumps(text, separators=(",", ":")))


def _messages(plan: Plan, accounts: dict[Account, Fraction]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    for material in plan.materials:
        yield (
            -55,
            f"M-{material.material}",
            _material(material.material, material.unit, material.decimals, material.batch_managed, material.conversions),
        )
    for program in sorted({program for order in TOOL_ROOM for program in order.programs}):
        yield -55, f"M-{program}", _material(program, "PC", 0, False, ())
    for lot in plan.opening:
        stock = {"type": "stock", "material": lot.material, "batch": lot.lot, "qty": str(lot.quantity), "uom": lot.unit}
        yield -50, f"S-{lot.lot}", stock
    for tool_room in TOOL_ROOM:
        yield -45, f"O-{tool_room.number}-1", _tool_room(tool_room)
    for order in plan.orders:
        wanted = {material: ordered(order, material, accounts) for material, _ in order.materials}
        released = dict.fromkeys(wanted, FIRST_QUANTITY) if order.number == CHANGED else wanted
        yield -45, f"O-{order.number}-1", _order(order, released, "release", "1")
        if order.number == CHANGED:
            yield -30, f"O-{order.number}-2", _order(order, wanted, "change", "2")


def _material(material: str, unit: str, decimals: int, batches: bool, also: tuple[str, ...]) -> dict[str, Any]:
    return {
        "type": "material",
        "material": material,
        "uom": unit,
        "decimals": decimals,
        "batches": batches,
        "also": list(also),
    }


def _order(order: PlannedOrder, quantities: dict[str, int], kind: str, change: str) -> dict[str, Any]:
    items = [
        {
            "item": str(number),
            "material": material,
            "role": role,
            "qty": str(quantities[material]),
            "uom": "PC",
            "place": "FG01",
            "batches": True,
            "over": order.over_delivery,
        }
        for number, (material, role) in enumerate(order.materials, 1)
    ]
    operations = [
        {"op": entry.operation, "wc": entry.work_centre, "confirm": entry.confirm, "receipt": entry.receipt}
        for entry in order.operations
    ]
    components = [
        {
            "item": f"{number:04d}",
            "op": part.operation,
            "pos": part.position,
            "material": part.material,
            "qty": _decimal(part.amount, part.decimals),
            "uom": part.unit,
            "per": part.base,
            "mode": part.mode,
            "place": "LINE",
            "batches": part.batch_managed,
        }
        for number, part in enumerate(order.parts, 1)
    ]
    backflush = any(part.mode == "erp_backflush" for part in order.parts)
    head = {"type": kind, "order": order.number, "change": change, "bom": "A", "backflush": backflush}
    return {**head, "items": items, "operations": operations, "components": components}


def _tool_room(order: ToolRoomOrder) -> dict[str, Any]:
    """A standing order: every program is an item; who knows how many pieces the tool room will make."""
    items = [
        {
            "item": str(number),
            "material": program,
            "role": "main" if number == 1 else "co",
            "qty": "1",
            "uom": "PC",
            "place": "TOOL",
            "batches": False,
            "over": "unlimited",
        }
        for number, program in enumerate(order.programs, 1)
    ]
    operations = [{"op": "10", "wc": order.equipment, "confirm": "each", "receipt": True}]
    head = {"type": "release", "order": order.number, "change": "1", "bom": "", "backflush": False}
    return {**head, "items": items, "operations": operations, "components": []}


def _decimal(amount: int, decimals: int) -> str:
    digits = str(amount).rjust(decimals + 1, "0")
    return f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits
