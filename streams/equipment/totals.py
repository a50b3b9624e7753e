"""What an equipment sends when the clock advances: totals "as of T" to orders, genealogy edges to lots."""

from collections.abc import Sequence

from schemas.records import GenealogyEdge, LotMade, Total, TotalState
from schemas.topics import LOTS_INBOX, ORDERS_INBOX
from streams.step import Step
from tables import correlations, scopes
from tables.equipment.attribution import segments_of
from tables.equipment.destination import UNATTRIBUTED, UNDECIDED, Destination
from tables.equipment.equipment import EquipmentFold
from tables.equipment.making import MADE, made_between


def publish(step: Step, equipment: EquipmentFold, now: int, version: int) -> None:
    """Send every total that changed, "as of `now`". A destination that lost its quantity is sent as zero, once."""
    row = equipment.row
    dirty, new, edges = False, False, len(row.edges)
    runs = {run.run: run for run in row.runs}
    changed = sorted(key for key, total in row.totals.items() if total.dirty)  # not as they came: batches are cut anywhere
    for key in changed:
        total = row.totals[key]
        total.dirty, dirty = False, True
        destination = Destination.parse(key)
        if destination.kind in (UNATTRIBUTED, UNDECIDED) or not destination.order or not (total.amount or total.sent):
            continue
        new |= not total.sent
        total.sent = True
        run = runs.get(destination.run)
        record = total_record(row.plant, row.equipment, destination, total, row.born_epoch)
        record.correlations = correlations.of_total(total, run)
        record.bom_revision = run.bom_revision if run is not None else ""
        record.log_epoch, record.inbox_offset, record.fold_version = step.state.log_epoch, step.offset, version
        record.label = now
        step.emit(ORDERS_INBOX, f"{row.plant}|{destination.order}", record)
        if destination.kind in ("consumption", "basis") and run is not None:
            _send_edges(step, equipment, destination, now)
    redone, row.made_revision = row.made_revision != row.revision, row.revision
    made = _send_made(step, equipment, sorted(row.totals) if redone else changed, now)
    if dirty or made:
        equipment.told(new or made or len(row.edges) > edges)


def total_record(plant: str, equipment: str, destination: Destination, total: TotalState, born_epoch: int) -> Total:
    return Total(
        plant=plant,
        equipment=equipment,
        source_key=destination.source_key(equipment, born_epoch),
        order=destination.order,
        operation=destination.operation,
        material=destination.material,
        lot=destination.lot,
        kind=destination.kind,
        reason=destination.reason,
        position=destination.position,
        component_material=destination.component_material,
        component_lot=destination.component_lot,
        business_date=destination.business_date,
        run=destination.run,
        numerator=total.amount,
        denominator=10**destination.scale,
        unit=destination.unit,
        log_epoch=0,
        inbox_offset=0,
        fold_version=0,
        label=0,
        first_at=total.first_at,
        last_at=total.last_at,
        records=total.records,
        ranges=total.ranges,
        authority=destination.authority,
    )


def _send_edges(step: Step, equipment: EquipmentFold, destination: Destination, now: int) -> None:
    """Genealogy with the first consumption: the component's lot went into each output lot of the run."""
    row = equipment.row
    consumed = destination.kind == "consumption"
    material = destination.material if consumed else destination.component_material
    lot = destination.lot if consumed else destination.component_lot
    run = next(run for run in row.runs if run.run == destination.run)
    children = {(output.material, output.lot) for segment in segments_of(run) for output in segment.outputs if output.lot}
    for child_material, child_lot in sorted(children) if lot else ():
        edge = f"{material}|{lot}|{child_material}|{child_lot}"
        if edge not in row.edges:
            row.edges.append(edge)
            record = GenealogyEdge(row.plant, material, lot, child_material, child_lot, destination.order, now, now)
            step.emit(LOTS_INBOX, f"{row.plant}|{material}|{lot}", record)


def _send_made(step: Step, equipment: EquipmentFold, keys: Sequence[str], now: int) -> bool:
    """When each output lot was made here, to the scopes that somebody may hold: this equipment, the run, the order. `keys`:
    totals that may tell something new. True: something was told. A time that is told covers what is counted in it, so that a
    counter tells nothing new with each reading."""
    row, told = equipment.row, False
    runs = {run.run: run for run in row.runs}
    for key in keys:
        total, destination = row.totals[key], Destination.parse(key)
        if destination.kind not in MADE or not destination.lot or not (total.made_from or total.records):
            continue
        run = runs.get(destination.run)
        if total.made_from and destination.run and run is None:
            continue  # the run is forgotten, what was told stands
        extent = made_between(row, destination, total, run)
        if (extent.from_us, extent.to_us) == (total.made_from, total.made_to):
            continue
        total.made_from, total.made_to = extent.from_us, extent.to_us
        told = True
        part = f"{destination.source_key(row.equipment, row.born_epoch)}|{destination.order}|{destination.business_date}"
        named = ((scopes.EQUIPMENT, row.equipment), (scopes.RUN, destination.run), (scopes.ORDER, destination.order))
        for scope, name in named:
            if name:
                record = LotMade(
                    row.plant, scope, name, destination.material, destination.lot, part, extent.from_us, extent.to_us,
                    step.state.log_epoch, step.offset, now,
                )  # fmt: skip
                step.emit(LOTS_INBOX, scopes.inbox_key(row.plant, name), record)
    return told
