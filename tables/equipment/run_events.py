"""What each event of runs and loads changes in the row of an equipment."""

from collections.abc import Callable
from typing import Any

from schemas.records import (
    EntryVoided,
    EquipmentRow,
    LotLoaded,
    LotUnloaded,
    RunChanged,
    RunCorrected,
    RunEnded,
    RunStarted,
    RunVoided,
)
from tables.equipment import presence, runs
from tables.equipment.runs import Changed

RUN_EVENTS: dict[type, Callable[[EquipmentRow, Any], Changed | None]] = {
    RunStarted: runs.started,
    RunChanged: runs.changed,
    RunEnded: runs.ended,
    RunCorrected: runs.corrected,
    RunVoided: runs.voided,
    LotLoaded: presence.loaded,
    LotUnloaded: presence.loaded,
    EntryVoided: presence.voided,
}
