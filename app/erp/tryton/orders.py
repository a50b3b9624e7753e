"""A production order and its bill of material as Tryton keeps them, from the order as the shop floor knows it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import Any, NamedTuple

from schemas.records import Component, OrderChanged, OrderItem, OrderReleased
from tables.quantity import fraction

Order = OrderReleased | OrderChanged


class Names(NamedTuple):
    """Ids in Tryton by the names of the shop floor. `locations[""]` is the storage zone."""

    products: Mapping[str, int]
    locations: Mapping[str, int]
    unit: Callable[[str], int]
    kept_in: Callable[[str], str]
    """Material -> its own unit."""
    decimals: Callable[[str], int]
    """Material -> decimals of that unit."""


def main_item(items: Sequence[OrderItem]) -> OrderItem:
    """Tryton's order has one product; what else it makes are further outputs."""
    return next((item for item in items if item.role == "main"), items[0])


def order_values(order: Order, bom: int, names: Names) -> dict[str, Any]:
    item = main_item(order.items)
    return {
        "shop_floor_number": order.order,
        "reference": order.order,
        "product": names.products[item.material],
        "bom": bom,
        "unit": names.unit(names.kept_in(item.material)),
        "quantity": _decimal(fraction(item.quantity.amount, item.quantity.scale)),
        "planned_start_date": _day(order.planned_start),
        "planned_date": _day(order.planned_end),
    }


def bom_values(order: Order, names: Names) -> dict[str, Any]:
    """For so many pieces that each component is a whole number of its unit's steps: nothing is rounded."""
    main = main_item(order.items)
    made = fraction(main.quantity.amount, main.quantity.scale)
    taken = [part for part in order.components if not part.phantom]
    needs = [(part, fraction(part.quantity.amount, part.quantity.scale) / part.base) for part in taken]
    times = lcm(*((need * made * 10 ** _digits(part, names)).denominator for part, need in needs), 1)
    return {
        "name": order.order,
        "shop_floor_revision": order.bom_revision,
        "outputs": [["create", [_output(item, times, names) for item in order.items]]],
        "inputs": [["create", [_input(part, need * made * times, names) for part, need in needs]]],
        "shop_floor_operations": [
            [
                "create",
                [
                    {
                        "sequence": number,
                        "number": entry.operation,
                        "work_centre": entry.work_centre,
                        "confirm": entry.confirm,
                        "receipt": entry.receipt,
                        "planned_cycle_ms": entry.planned_cycle_ms,
                    }
                    for number, entry in enumerate(order.operations, 1)
                ],
            ]
        ],
    }


def _digits(part: Component, names: Names) -> int:
    return names.decimals(part.material) if part.quantity.unit == names.kept_in(part.material) else 0


def _output(item: OrderItem, times: int, names: Names) -> dict[str, Any]:
    return {
        "product": names.products[item.material],
        "unit": names.unit(item.quantity.unit),
        "quantity": _decimal(fraction(item.quantity.amount, item.quantity.scale) * times),
        "shop_floor_item": item.item,
        "shop_floor_role": item.role,
        "shop_floor_location": names.locations[item.receipt_location] if item.receipt_location else None,
        "shop_floor_over_delivery": item.over_delivery,
    }


def _input(part: Component, quantity: Fraction, names: Names) -> dict[str, Any]:
    return {
        "product": names.products[part.material],
        "unit": names.unit(part.quantity.unit),
        "quantity": _decimal(quantity),
        "shop_floor_item": part.item,
        "shop_floor_operation": part.operation,
        "shop_floor_position": part.position,
        "shop_floor_mode": part.mode,
        "shop_floor_location": names.locations[part.issue_location] if part.issue_location else None,
    }


def _decimal(value: Fraction) -> Decimal:
    """Exact: what is not a finite decimal of 9 places would have been refused as an order."""
    scaled = value * 10**9
    assert scaled.denominator == 1, f"{value} has more than 9 decimals"
    return Decimal(int(scaled)).scaleb(-9).normalize()


def _day(micros: int) -> Any:
    return datetime.fromtimestamp(micros // 1_000_000, UTC).date() if micros else None
