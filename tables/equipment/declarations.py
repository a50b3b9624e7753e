"""Declarations of people on one equipment: kept, de-duplicated by event id, and attributed to the run of their time."""

from fractions import Fraction
from typing import Any

from schemas.records import DeclarationRow, EquipmentRow, Output, RawRange, RunState, Share
from tables.canonical import KINDS
from tables.equipment.attribution import Load, Ownership, end_of, outputs_at, segments_of, started
from tables.equipment.destination import UNATTRIBUTED, Destination
from tables.plant.calendar import Calendar

_STATED = ("record", "occurred_at", "unit", "run", "order", "operation", "material", "lot", "reason", "of", "as_kind", "position")
"""What a declaration states beside its quantity."""


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
        source_seq=event.source_seq,
        raw_part=event.raw_part,
        correlation_id=event.correlation_id,
    )


def says_the_same(one: DeclarationRow, other: DeclarationRow) -> bool:
    """Do both declare the same? Where and how they were sent does not matter."""
    return _content(one) == _content(other)


def _content(declared: DeclarationRow) -> tuple[Any, ...]:
    quantity = Fraction(declared.amount, 10**declared.scale)
    return (quantity, *(getattr(declared, name) for name in _STATED))


def shares_of(declared: DeclarationRow, row: EquipmentRow, ownership: Ownership, calendar: Calendar) -> list[Share]:
    """What a declaration gives, with the runs that are known now. It always gives its quantity somewhere."""
    run = _run_meant(declared, row, ownership)
    moment = _moment_within(declared, row, run)
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
        business_date=calendar.shift_at(moment).business_date,
        unit=declared.unit,
        scale=declared.scale,
        authority="declarations",
    )
    told = declared if moment == declared.occurred_at else None
    outputs = outputs_at(run, moment, told) if run is not None and run.started_at is not None else []
    if run is not None and declared.order:
        outputs = [output for output in outputs if (output.order or run.order) in ("", declared.order)]
    loads = dict((ownership.at(moment) if told is None else ownership.as_told(moment, told)).loads)
    return [_share(declared, destination, sign) for destination, sign in _destinations(declared, base, outputs, loads)]


def _run_meant(declared: DeclarationRow, row: EquipmentRow, ownership: Ownership) -> RunState | None:
    """The run that is named; else, if an order is named, that order's run: the one of that time, or the last one before;
    else the run that owns the time."""
    known = [run for run in row.runs if not run.voided]
    if declared.run:
        return next((run for run in known if run.run == declared.run), None)
    owner = ownership.as_told(declared.occurred_at, declared).run
    if not declared.order or (owner is not None and _orders_of(owner) == {""}):
        return owner
    begun = [run for run in known if run.started_at is not None and run.started_at <= declared.occurred_at]
    return max(
        (run for run in begun if _works_on(run, declared)),
        key=lambda run: (run is owner, end_of(run, row) >= declared.occurred_at, started(run)),
        default=None,
    )


def _works_on(run: RunState, declared: DeclarationRow) -> bool:
    return declared.order in _orders_of(run) and declared.operation in ("", run.operation)


def _orders_of(run: RunState) -> set[str]:
    return {run.order} | {output.order for segment in segments_of(run) for output in segment.outputs}


def _destinations(
    declared: DeclarationRow, base: Destination, outputs: list[Output], loads: dict[str, Load]
) -> list[tuple[Destination, int]]:
    if declared.record == "MaterialConsumed" or (declared.record == "ScrapDeclared" and declared.of == "component"):
        material, lot = loads.get(declared.position, Load("", ""))
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
    scrapped = _or_unattributed(found._replace(kind="scrap"), outputs)
    found = _or_unattributed(found, outputs)
    if declared.record == "ScrapDeclared" and declared.of == "stock":
        return [(found._replace(position="stock"), 1)]
    if declared.record == "ReworkReturned":
        # Gross = yield + scrap + open rework: what comes back leaves open rework, and is scrap if it says so.
        back = [(found, -1)]
        return [*back, (scrapped, 1)] if declared.as_kind == "scrap" else back
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


def _moment_within(declared: DeclarationRow, row: EquipmentRow, run: RunState | None) -> int:
    """Its time, drawn into its run: what is declared late has the run's business date, outputs and loads
    (docs/domain.md, Declarations)."""
    if run is None or run.started_at is None:
        return declared.occurred_at
    return max(run.started_at, min(declared.occurred_at, end_of(run, row)))


def _share(declared: DeclarationRow, destination: Destination, sign: int) -> Share:
    lineage = [RawRange(declared.raw_source, declared.raw_offset, declared.raw_offset, 1)]
    return Share(destination.key(), sign * declared.amount, 1, declared.occurred_at, declared.occurred_at, lineage)
