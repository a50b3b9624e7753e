"""Declarations of people on one equipment: kept, de-duplicated by event id, and attributed to the run of their time."""

from typing import Any

from schemas.records import DeclarationRow, EquipmentRow, Output, RawRange, RunState, Share
from tables.attribution import Ownership, end_of, outputs_at
from tables.calendar import Calendar
from tables.destination import UNATTRIBUTED, Destination

KINDS = {
    "ProductionDeclared": "good",
    "ScrapDeclared": "scrap",
    "ReworkDeclared": "rework",
    "ReworkReturned": "rework",
    "MaterialConsumed": "consumption",
}


def kept(event: Any) -> DeclarationRow:
    """A declaration as it is kept, not attributed yet."""
    quantity = event.quantity
    return DeclarationRow(
        record=type(event).__name__,
        occurred_at=event.occurred_at,
        run=event.run,
        order=event.order,
        operation=event.operation,
        material=event.material,
        lot=event.lot,
        amount=quantity.amount,
        scale=quantity.scale,
        unit=quantity.unit,
        reason=event.reason,
        of=getattr(event, "of", ""),
        as_kind=getattr(event, "as_kind", ""),
        position=getattr(event, "position", ""),
        raw_source=event.raw_source,
        raw_offset=event.raw_offset,
    )


def shares_of(declared: DeclarationRow, row: EquipmentRow, ownership: Ownership, calendar: Calendar) -> list[Share]:
    """What a declaration gives, with the runs that are known now. It always gives its quantity somewhere."""
    span = ownership.at(declared.occurred_at)
    run = next((run for run in row.runs if run.run == declared.run and not run.voided), None) if declared.run else span.run
    order = declared.order or (run.order if run is not None else "")
    base = Destination(
        origin=declared.record,
        run=run.run if run is not None else declared.run,
        order=order,
        operation=declared.operation or (run.operation if run is not None else ""),
        material=declared.material,
        lot=declared.lot,
        kind=KINDS[declared.record],
        reason=declared.reason,
        position=declared.position,
        component_material="",
        component_lot="",
        business_date=_business_date(declared, row, run, calendar),
        unit=declared.unit,
        scale=declared.scale,
        authority="declarations",
    )
    outputs = outputs_at(run, declared.occurred_at) if run is not None and run.started_at is not None else []
    return [_share(declared, destination, sign) for destination, sign in _destinations(declared, base, outputs, dict(span.loads))]


def _destinations(
    declared: DeclarationRow, base: Destination, outputs: list[Output], loads: dict[str, tuple[str, str]]
) -> list[tuple[Destination, int]]:
    if declared.record == "MaterialConsumed" or (declared.record == "ScrapDeclared" and declared.of == "component"):
        material, lot = loads.get(declared.position, ("", ""))
        found = base._replace(kind="consumption", material=base.material or material)
        if not found.lot and material == found.material:
            found = found._replace(lot=lot)
        return [(_or_unattributed(found, outputs), 1)]
    output = _output_for(base.material, outputs)
    found = base
    if output is not None:
        found = base._replace(
            material=output.material, lot=base.lot or output.lot, order=declared.order or output.order or base.order
        )
    found = _or_unattributed(found, outputs)
    if declared.record == "ScrapDeclared" and declared.of == "stock":
        return [(found._replace(position="stock"), 1)]
    if declared.record == "ReworkReturned":
        # Gross = yield + scrap + open rework: what comes back leaves open rework, and is scrap if it says so.
        back = [(found, -1)]
        return [*back, (found._replace(kind="scrap"), 1)] if declared.as_kind == "scrap" else back
    return [(found, 1)]


def _output_for(material: str, outputs: list[Output]) -> Output | None:
    """The output that is meant. Several outputs and no material: nobody knows (orders parks MATERIAL_AMBIGUOUS)."""
    if material:
        return next((output for output in outputs if output.material == material), None)
    candidates = {output.material: output for output in outputs}
    return next(iter(candidates.values())) if len(candidates) == 1 else None


def _or_unattributed(found: Destination, outputs: list[Output]) -> Destination:
    if found.order or any(output.order for output in outputs):
        return found._replace(order=found.order or next(output.order for output in outputs if output.order))
    if found.run:
        return found
    return found._replace(kind=UNATTRIBUTED, reason=found.reason or found.kind, operation="")


def _business_date(declared: DeclarationRow, row: EquipmentRow, run: RunState | None, calendar: Calendar) -> str:
    """Late scrap takes its run's business date (domain rule 6)."""
    moment = declared.occurred_at
    if run is not None and run.started_at is not None:
        moment = max(run.started_at, min(moment, end_of(run, row.stops)))
    return calendar.shift_at(moment).business_date


def _share(declared: DeclarationRow, destination: Destination, sign: int) -> Share:
    lineage = [RawRange(declared.raw_source, declared.raw_offset, declared.raw_offset, 1)]
    return Share(destination.key(), sign * declared.amount, 1, declared.occurred_at, declared.occurred_at, lineage)
