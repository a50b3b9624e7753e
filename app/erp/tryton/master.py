"""Tryton's answer to `changes` as master data of the shop floor: units by their own names, quantities as exact decimals."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from app.erp.master import Lot, MasterChanges, PulledComponent, PulledItem, PulledMaterial, PulledOperation, PulledOrder
from tables.quantity import round_half_away

UnitOf = Callable[[str], str]
"""Symbol in Tryton -> unit of the ledger."""
STEP = 6
"""Decimals of a quantity; finer ones Tryton's units do not have."""


def changes_of(answer: Mapping[str, Any], unit_of: UnitOf) -> MasterChanges:
    return MasterChanges(
        until=answer["until"],
        materials=[_material(row, unit_of) for row in answer["materials"]],
        lots=[_lot(row, unit_of) for row in answer["lots"]],
        orders=[_order(row, unit_of) for row in answer["orders"]],
    )


def _material(row: Mapping[str, Any], unit_of: UnitOf) -> PulledMaterial:
    return PulledMaterial(
        changed=row["changed"],
        material=row["material"],
        unit=unit_of(row["unit"]),
        decimals=row["decimals"],
        batch_managed=row["batch_managed"],
        conversions=row["conversions"],
    )


def _lot(row: Mapping[str, Any], unit_of: UnitOf) -> Lot:
    return Lot(
        changed=row["changed"],
        material=row["material"],
        lot=row["lot"],
        quantity=row["quantity"],
        unit=unit_of(row["unit"]),
    )


def _order(row: Mapping[str, Any], unit_of: UnitOf) -> PulledOrder:
    """Tryton states a bill of material for some quantity of each output; the order says how much of its product. The rest
    is in proportion. Tryton derives nothing of a confirmation: both flags are off."""
    ordered, product = Fraction(row["quantity"]), row["product"]
    stated = [line for line in row["outputs"] if line["material"] == product]
    main = Fraction(stated[0]["quantity"]) if stated else ordered
    outputs = row["outputs"] or [{"item": "1", "material": product, "quantity": row["quantity"], "unit": row["unit"]}]
    return PulledOrder(
        changed=row["changed"],
        order=row["order"],
        status=row["status"],
        bom_revision=row["bom_revision"],
        planned_start=_day(row["planned_start"]),
        planned_end=_day(row["planned_end"]),
        items=[_item(line, ordered / main, unit_of) for line in outputs],
        operations=[PulledOperation(**operation) for operation in row["operations"]],
        components=[_component(line, main, unit_of) for line in row["inputs"]],
    )


def _day(text: str) -> str:
    """Tryton plans days."""
    return f"{text}T00:00:00Z" if text else ""


def _item(line: Mapping[str, Any], factor: Fraction, unit_of: UnitOf) -> PulledItem:
    return PulledItem(
        item=line["item"],
        material=line["material"],
        quantity=_decimal(Fraction(line["quantity"]) * factor),
        unit=unit_of(line["unit"]),
        role=line.get("role", "main"),
        location=line.get("location", ""),
        batch_managed=line.get("batch_managed", False),
        over_delivery=line.get("over_delivery", "0"),
    )


def _component(line: Mapping[str, Any], main: Fraction, unit_of: UnitOf) -> PulledComponent:
    """quantity / base in lowest terms: whole units for so many pieces, nothing is rounded."""
    share = Fraction(line["quantity"]) / main
    return PulledComponent(
        item=line["item"],
        operation=line["operation"],
        position=line["position"],
        material=line["material"],
        quantity=str(share.numerator),
        unit=unit_of(line["unit"]),
        base=share.denominator,
        mode=line["mode"],
        location=line["location"],
        batch_managed=line["batch_managed"],
    )


def _decimal(value: Fraction) -> str:
    return format(Decimal(round_half_away(value, STEP)).scaleb(-STEP).normalize(), "f")
