"""Which stage gets which canonical event, and which times of an event cannot be."""

from collections.abc import Iterator
from typing import Any

from schemas.configuration.values import duration_text
from schemas.records import (
    DispositionDecided,
    EntryVoided,
    EquipmentStateChanged,
    HoldExempted,
    HoldPlaced,
    HoldReleased,
    InspectionRecorded,
    InspectionRequested,
    LabourRecorded,
    LotCreated,
    LotLoaded,
    LotMade,
    LotMerged,
    LotShipped,
    LotSplit,
    LotStaged,
    LotUnloaded,
    OperatorDecision,
    OrderAcknowledged,
    OrderChanged,
    OrderClosed,
    OrderCompleted,
    OrderHandedOver,
    OrderRejected,
    OrderReleased,
    ProductionDeclared,
    RunChanged,
    RunCorrected,
    RunEnded,
    RunStarted,
    RunVoided,
)
from streams.mapping import RawRecord, Reading, RefusedRecord
from tables.canonical import ACCOUNT_KINDS, DECLARATIONS
from tables.scopes import ORDER, RUN

EQUIPMENT_EVENTS = frozenset(
    {
        RunStarted,
        RunChanged,
        RunEnded,
        RunCorrected,
        RunVoided,
        LotLoaded,
        LotUnloaded,
        EquipmentStateChanged,
        LabourRecorded,
        EntryVoided,
    }
)
ORDER_EVENTS = frozenset(
    {
        OrderReleased,
        OrderChanged,
        OrderAcknowledged,
        OrderRejected,
        OrderCompleted,
        OrderClosed,
        OrderHandedOver,
        OperatorDecision,
    }
)
LOT_EVENTS = frozenset(
    {
        LotCreated,
        LotSplit,
        LotMerged,
        LotStaged,
        LotShipped,
        InspectionRequested,
        InspectionRecorded,
        HoldPlaced,
        HoldReleased,
        HoldExempted,
        DispositionDecided,
    }
)


def of_equipment(item: Any) -> bool:
    """Does the event go to an equipment? Declarations do if they name one, decisions if they are about a counter."""
    kind = type(item)
    if kind is OperatorDecision:
        return bool(item.counter and item.equipment)
    return kind in EQUIPMENT_EVENTS or (kind in DECLARATIONS and bool(item.equipment))


def made_by(item: Any) -> Iterator[LotMade]:
    """What a declaration without equipment tells of its lot: of which order and run it is."""
    if type(item) is ProductionDeclared and item.lot:
        part, at = f"declared:{item.event_id}", item.occurred_at
        for scope, name in ((ORDER, item.order), (RUN, item.run)):
            if name:
                yield LotMade(item.plant, scope, name, item.material, item.lot, part, at, at, label=item.label)


def wrong_clock(item: Any, raw: RawRecord, future_us: int, horizon_us: int) -> RefusedRecord | None:
    """One wrong clock must not close every shift (docs/adr/0045). Orders may state dates that are to come."""
    if item.received_at <= raw.received_at + future_us and item.occurred_at <= raw.received_at + horizon_us:
        return None
    if not raw.received_at:
        code, detail = "MISSING_FIELD", "nothing says when the record arrived"
    elif item.received_at > raw.received_at + future_us:
        code, detail = "CLOCK_AHEAD", f"received_at is more than {duration_text(future_us)} ahead of its arrival"
    elif type(item) in ORDER_EVENTS:
        return None
    else:
        code, detail = "CLOCK_AHEAD", f"occurred_at is more than {duration_text(horizon_us)} ahead of its arrival"
    refused = RefusedRecord(code, detail, kind=ACCOUNT_KINDS.get(type(item).__name__, ""), received_at=raw.received_at)
    refused.event_id = "" if isinstance(item, Reading) else item.event_id
    refused.equipment, refused.quantity = getattr(item, "equipment", ""), getattr(item, "quantity", None)
    return refused
