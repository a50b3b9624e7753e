"""Master data as an ERP spells it: the simulator knows what documents name (app/erp/documents.py)."""

from dataclasses import replace
from typing import TypeVar

from schemas.configuration.erp import Identifiers
from schemas.records import MaterialChanged, OrderChanged, OrderReleased, Quantity

Order = TypeVar("Order", OrderReleased, OrderChanged)


def spelled_order(order: Order, names: Identifiers) -> Order:
    return replace(
        order,
        order=names.order.erp(order.order),
        items=[replace(one, material=names.material.erp(one.material)) for one in order.items],
        operations=[replace(one, operation=names.operation.erp(one.operation)) for one in order.operations],
        components=[
            replace(
                one,
                operation=names.operation.erp(one.operation),
                material=names.material.erp(one.material),
                quantity=_quantity(one.quantity, names),
            )
            for one in order.components
        ],
    )


def spelled_material(material: MaterialChanged, names: Identifiers) -> MaterialChanged:
    return replace(
        material,
        material=names.material.erp(material.material),
        unit=names.unit.get(material.unit, material.unit),
        conversions=[" ".join(names.unit.get(word, word) for word in text.split()) for text in material.conversions],
    )


def _quantity(quantity: Quantity, names: Identifiers) -> Quantity:
    return replace(quantity, unit=names.unit.get(quantity.unit, quantity.unit))
