"""What each record changes in the row of its lot, and what travels on from there to other lots."""

from schemas.records import (
    DispositionDecided,
    Exemption,
    GenealogyEdge,
    HoldExempted,
    HoldForwarded,
    HoldPlaced,
    HoldReleased,
    HoldState,
    InspectionRecorded,
    InspectionRequested,
    LotCreated,
    LotMade,
    LotMerged,
    LotRef,
    LotRow,
    LotShipped,
    LotSplit,
    LotStaged,
    Shipment,
)
from tables import lots, scopes

Onward = list[HoldForwarded | GenealogyEdge | LotMade]
"""What travels on to other lots and to scopes."""


def placed(row: LotRow, record: HoldPlaced) -> Onward:
    origin = lots.origin_of(row)
    return _hold(row, HoldState(record.hold, record.version, True, record.severity, origin, record.label, *_why(record)))


def released(row: LotRow, record: HoldReleased) -> Onward:
    origin = lots.origin_of(row)
    return _hold(row, HoldState(record.hold, record.version, False, lots.BLOCK, origin, record.label, *_why(record)))


def exempted(row: LotRow, record: HoldExempted) -> Onward:
    lots.exempt(row, Exemption(record.hold, record.version, not record.revoked, record.label, *_why(record)))
    return []


def _why(record: HoldPlaced | HoldReleased | HoldExempted) -> tuple[int, str, str, str]:
    """When by the source's clock, reason, who, correlation id. A long reason is cut: no hold is refused for it."""
    return record.occurred_at, record.reason[: lots.MAX_NAME_CHARACTERS], record.who, record.correlation_id


def forwarded(row: LotRow, record: HoldForwarded) -> Onward:
    hold = HoldState(record.hold, record.version, record.active, record.severity, record.origin, record.label)
    return _hold(row, hold)


def disposed(row: LotRow, record: DispositionDecided) -> Onward:
    return [onward for hold in lots.decide(row, record) for onward in _hold(row, hold)]


def consumed(row: LotRow, record: GenealogyEdge) -> Onward:
    lots.know_order(row, record.order)
    return _edge(row, LotRef(record.child_material, record.child_lot))


def split(row: LotRow, record: LotSplit) -> Onward:
    return [on for child in record.children for on in _edge(row, LotRef(row.material, child))]


def merged(row: LotRow, record: LotMerged) -> Onward:
    # The edge belongs to the parent's row. Label 0: this partition's clock has passed it already.
    return [
        GenealogyEdge(row.plant, row.material, parent, row.material, row.lot, "", record.occurred_at, 0)
        for parent in record.parents
    ]


def created(row: LotRow, record: LotCreated) -> Onward:
    """The scopes that the record names learn of the lot. A record states once and for all: its version is its id."""
    lots.know_order(row, record.order)
    at, part = record.occurred_at, f"created:{record.event_id}"
    named = ((scopes.ORDER, record.order), (scopes.SUPPLIER_LOT, record.supplier_lot))
    return [LotMade(row.plant, scope, name, row.material, row.lot, part, at, at) for scope, name in named if name]


def requested(row: LotRow, record: InspectionRequested) -> Onward:
    lots.note_inspection(row, record.inspection, "requested")
    return []


def inspected(row: LotRow, record: InspectionRecorded, severity: str) -> Onward:
    lots.note_inspection(row, record.inspection, record.verdict)
    if record.verdict != lots.FAILED:
        return []
    return [onward for hold in lots.fail(row, record, severity) for onward in _hold(row, hold)]


def staged(row: LotRow, record: LotStaged) -> Onward:
    lots.note_location(row, record.location)
    return []


def shipped(row: LotRow, record: LotShipped) -> Onward:
    lots.note_shipment(row, Shipment(record.event_id, record.occurred_at, record.delivery, record.quantity))
    return []


def _hold(row: LotRow, hold: HoldState) -> Onward:
    if not lots.receive_hold(row, hold):
        return []
    return [_forward(row, child, hold) for child in row.children]


def _edge(row: LotRow, child: LotRef) -> Onward:
    if not lots.connect(row, child):
        return []
    return [_forward(row, child, hold) for hold in row.holds]


def _forward(row: LotRow, child: LotRef, hold: HoldState) -> HoldForwarded:
    return HoldForwarded(
        row.plant, child.material, child.lot, hold.hold, hold.version, hold.active, hold.origin, hold.label, hold.severity
    )
