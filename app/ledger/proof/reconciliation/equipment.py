"""Equipment against itself and against orders (I1, I2): its totals are its readings and declarations, no more, no less."""

from collections.abc import Iterator

from app.ledger.books.rereading import RereadReading
from app.ledger.books.snapshot import Snapshot
from app.ledger.proof.recount import OfCounter, Recounted, count_all
from schemas.records import AccountRow, EquipmentRow, TotalState
from tables.equipment import definitions
from tables.equipment.activities import LABOUR, STATES
from tables.equipment.counter import upwards
from tables.equipment.destination import UNATTRIBUTED, Destination
from tables.equipment.own_clock import late_clock
from tables.equipment.packed_readings import RAW_BITS
from tables.equipment.people import People
from tables.equipment.reading_buckets import Bucket
from tables.orders.account import STOCK
from tables.plant.calendar import calendar_of
from tables.quantity import decimal_text
from tables.row_kinds import ACCOUNT_ROWS, DECLARATION_ROWS, EQUIPMENT_ROWS, LABOUR_ROWS, TIMELINE_ROWS
from tables.rows import MemoryRows

_DERIVED = ("backflush|", "phantom|")


def differences(snapshot: Snapshot) -> Iterator[str]:
    rows: list[EquipmentRow] = list(snapshot.of(EQUIPMENT_ROWS))
    for key, row in sorted(snapshot.rows.get("equipment", {}).items()):
        if EQUIPMENT_ROWS.has(key) and key != EQUIPMENT_ROWS.key(row.plant, row.equipment):
            yield f"{key}: its row is of equipment {row.equipment}"
    for row in rows:
        if not _forgot(snapshot, row):
            yield from _recounted(snapshot, row)
    yield from _sources(snapshot, rows)


def people_of_snapshot(snapshot: Snapshot, plant: str) -> People:
    rows = MemoryRows()
    for key, row in snapshot.rows.get("equipment", {}).items():
        if LABOUR_ROWS.has(key):
            rows.put(key, row)
    return People(rows, plant)


def _forgot(snapshot: Snapshot, row: EquipmentRow) -> bool:
    """Has something passed the late horizon? Then only the totals know of it."""
    before = late_clock(row) - snapshot.configuration.plant.attribution.late_horizon_us
    begun = [total.first_at for total in row.totals.values() if total.first_at]
    return min(begun, default=before) < before


def _recounted(snapshot: Snapshot, row: EquipmentRow) -> Iterator[str]:
    """Every reading and declaration that is kept, counted anew, gives the totals."""
    found = Recounted(row=row)
    plant = snapshot.configuration.plant
    stored = snapshot.rows.get("equipment", {})
    declared = [stored[key] for key in sorted(stored) if key.startswith(DECLARATION_ROWS.under(row.plant, row.equipment))]
    counters = {name: _counter(snapshot, row, name) for name in row.counters}
    elsewhere = people_of_snapshot(snapshot, row.plant).elsewhere(row.equipment)
    count_all(found, plant, calendar_of(plant), counters, declared, row.clock, elsewhere)
    counted = {destination.key(): part for destination, part in found.parts.items()}
    for key in sorted(counted.keys() | row.totals.keys()):
        destination = Destination.parse(key)
        if destination.origin in (STATES, LABOUR) and row.activity_open and not snapshot.finished:
            continue  # its time grows with the clock
        total, part = row.totals.get(key), counted.get(key)
        held, wanted = total.amount if total is not None else 0, part.amount if part is not None else 0
        if held != wanted:
            where = "unattributed" if destination.kind == UNATTRIBUTED else f"order {destination.order} {destination.kind}"
            held_text, wanted_text = decimal_text(held, destination.scale), decimal_text(wanted, destination.scale)
            yield (
                f"{row.equipment}: its readings and declarations give {wanted_text} {destination.unit} to {where} "
                f"{destination.material} run {destination.run or '-'}, its total says {held_text}"
            )
        if total is not None and part is not None and total.amount and total.records != part.records:
            yield f"{row.equipment}: {part.records} records give {'|'.join(destination[:8])}, its total names {total.records}"


def _counter(snapshot: Snapshot, row: EquipmentRow, name: str) -> OfCounter:
    prefix, stored = TIMELINE_ROWS.under(row.plant, row.equipment, name), snapshot.rows.get("equipment", {})
    now = definitions.defined(snapshot.configuration.plant, row.equipment, name)
    history = definitions.history(row.counters[name], now)
    found: list[RereadReading] = []
    for key in [key for key in stored if key.startswith(prefix)]:
        bucket = stored[key]
        for at, seq, value, raw in Bucket(0, bucket).points.tolist():
            source, offset = bucket.raw_sources[raw >> RAW_BITS], raw & ((1 << RAW_BITS) - 1)
            shown = upwards(value, history[definitions.index_at(history, at)].counter) if history else value
            found.append(RereadReading(0, 0, len(found), at, seq, shown, source, offset))
    return OfCounter(history, found)


def _sources(snapshot: Snapshot, rows: list[EquipmentRow]) -> Iterator[str]:
    """What an account says it got from an equipment, that equipment gave, with the same lineage. (The other direction is
    part of I1 in app/ledger/proof/balance.py.)"""
    given: dict[tuple[str, ...], tuple[Destination, TotalState]] = {}
    clocks = {row.equipment: late_clock(row) for row in rows}
    for row in rows:
        for key, total in row.totals.items():
            destination = Destination.parse(key)
            given[_identity(destination, destination.source_key(row.equipment, row.born_epoch))] = destination, total
    horizon = snapshot.configuration.plant.attribution.late_horizon_us
    for account in snapshot.of(ACCOUNT_ROWS):
        for key, source in account.sources.items():
            if not source.equipment or key.startswith(_DERIVED):
                continue
            if sum(entry.records for entry in source.ranges) != source.records:
                yield f"{account.order} {account.kind}: source {key} names {source.records} records, its ranges hold others"
            found = given.get(_in_account(account, key, source.kind))
            if found is not None:
                records = found[1].records
                if source.numerator and account.place != STOCK and records != source.records:
                    yield f"{account.order} {account.kind}: source {key} names {source.records} records, equipment {records}"
            elif source.numerator and source.last_at >= clocks.get(source.equipment, 0) - horizon:
                yield f"{account.order} {account.kind}: source {key} is of no total of {source.equipment}"


def _identity(destination: Destination, source_key: str) -> tuple[str, ...]:
    return (destination.order, destination.operation, destination.material, destination.lot, destination.business_date,
            source_key, destination.kind)  # fmt: skip


def _in_account(row: AccountRow, source_key: str, kind: str) -> tuple[str, ...]:
    return row.order, row.operation, row.material, row.lot, row.business_date, source_key, kind
