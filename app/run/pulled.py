"""Orders, materials and lots of the ERP as one more recorded file of a run: the log then has them from their own source."""

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.erp.adapters import adapter_for
from app.erp.master import MasterChanges, WrittenStates, lines_of
from app.erp.of_run import RunErp
from app.erp.port import ErpUnavailable
from app.erp.traffic import JOURNAL, TrafficJournal
from app.inputs.input_files import InputFile
from app.inputs.recorded_input import merged
from app.run.resume import RunDiffers
from schemas.configuration import PlantConfig
from schemas.configuration.erp_source import ERP_SOURCE

PULLED = "erp_master.jsonl"


class MasterDataMissing(RuntimeError):
    """The ERP gave no orders: without them every account would be parked."""

    code = "MASTER_DATA_MISSING"


def with_pulled(
    files: Sequence[InputFile], plant: PlantConfig, erp: RunErp, out: Path, key: bytes, again: bool
) -> list[InputFile]:
    """The input with what the ERP says before it, where plant.yaml takes master data from the ERP. The file stays in `out`:
    given as input again, it gives the same log without the ERP; so it does `again`, when a run goes on.

    Raises MasterDataMissing; RunDiffers when it is gone `again`: what the ERP says now is something else.
    """
    if not plant.master_data.pulled or any(file.source == ERP_SOURCE for file in files):
        return list(files)
    path = out / PULLED
    if again:
        if not path.is_file():
            raise RunDiffers(f"{path}, what the ERP said when the run began, is gone; begin again with `--afresh`")
        return [InputFile(ERP_SOURCE, path), *files]
    first = next((record.received_at for record in merged(files, plant, key)), 0)
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=first)
    lines = lines_of(_pull(erp, TrafficJournal(out / JOURNAL)), at, WrittenStates())
    new = path.with_suffix(".new")
    new.write_bytes(b"".join(line + b"\n" for line in lines))
    new.replace(path)
    return [InputFile(ERP_SOURCE, path), *files]


def _pull(erp: RunErp, journal: TrafficJournal) -> MasterChanges:
    adapter = adapter_for(erp.configuration.erp, {**os.environ, **erp.environ}, journal)
    if adapter is None:
        raise MasterDataMissing("plant.yaml takes orders from the ERP, but erp.yaml has no adapter")

    async def answered() -> MasterChanges:
        try:
            return await adapter.master_data("")
        except ErpUnavailable as error:
            raise MasterDataMissing(str(error)) from error
        finally:
            await adapter.close()

    return asyncio.run(answered())
