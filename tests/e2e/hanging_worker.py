"""`lineledger` whose equipment stage never returns from a fold that sees a record of this order; the limit of a hang is 3 s."""

import time

from app.cli.main import main
from app.observability import heartbeat
from streams.equipment.stage import EquipmentStage

HANGS_AT = b"HANG"

if __name__ == "__main__":
    heartbeat.HANG_SECONDS = 3.0
    fold = EquipmentStage.fold

    def hanging(stage, step):  # type: ignore[no-untyped-def]
        while any(HANGS_AT in record.value for record in step.records):
            time.sleep(0.1)
        fold(stage, step)

    EquipmentStage.fold = hanging  # type: ignore[method-assign]
    main()
