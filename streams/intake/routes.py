"""Which stage gets which canonical event, and which times of an event cannot be."""

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
    RunChanged,
    RunCorrected,
    RunEnded,
    RunStarted,
    RunVoided,
)
from streams.mapping import RawRecord, Reading, RefusedRecord
from tables.canonical import ACCOUNT_KINDS, DECLARATIONS

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
