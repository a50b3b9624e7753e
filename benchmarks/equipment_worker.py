"""The equipment stage alone, as it ships, until it has folded the workload; prints one line of JSON."""

import asyncio
import json
import os
import sys
import time
from typing import Any

from app.engine.partition import Checkpoint
from app.kafka.broker import Broker
from app.kafka.connection import Connection
from app.settings import Settings
from app.topology import PlantProcess
from benchmarks.workload import configuration


async def main(bootstrap: str, prefix: str, frames: int, readings: int, datadir: str) -> None:
    os.makedirs(datadir, exist_ok=True)
    connection = Connection(Broker(bootstrap), prefix)
    settings = Settings(connection, datadir=datadir, recorded=True, checkpoint_interval=1.0)
    (app,) = await PlantProcess(settings, configuration()).apps(["equipment"])
    done, gaps, commits = [0], [0.0], [0.0]
    began: list[float] = []
    committed_before: set[int] = set()
    stage: Any = app.stage
    fold = stage.fold

    def timed(step: Any) -> None:
        if not began and step.records:
            began.append(time.monotonic())
        fold(step)
        done[0] += len(step.records)

    def committed(checkpoint: Checkpoint) -> None:
        if checkpoint.partition in committed_before and checkpoint.records:
            gaps.append(checkpoint.gap)
            commits.append(checkpoint.took)
        committed_before.add(checkpoint.partition)  # before the first one lies the take-over and no checkpoint

    stage.fold, app.on_checkpoint = timed, committed
    app.finalize()
    await app.maybe_start()
    while done[0] < frames:
        await asyncio.sleep(0.005)
    seconds = time.monotonic() - began[0]
    print(json.dumps({"rate": readings / seconds, "seconds": seconds, "max_gap": max(gaps), "max_commit": max(commits)}))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]))
