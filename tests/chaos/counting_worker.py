"""A worker process of the counting stage: `python -m tests.chaos.counting_worker --bootstrap .. --prefix .. --datadir ..`."""

import argparse
import asyncio
import faulthandler
import signal
from pathlib import Path
from typing import Any

from faust.types import TP
from mode import Worker

from app.engine.partition import OwnedPartition
from app.engine.stage import StageApp, StageSettings
from app.kafka.broker import Broker
from app.kafka.waiting import await_topics
from schemas.codec import Codec
from tests.chaos import faults
from tests.chaos.counting_stage import CHANGELOG, INBOX, STAGE, CountingStage


class CountingApp(StageApp):
    """Tells its log what it owns, so that tests wait for events instead of sleeping."""

    fault = ""

    def owned_partition(self, tp: TP) -> OwnedPartition:
        part = super().owned_partition(tp)
        unfenced = self.fault == faults.STALL_IN_COMMIT_UNFENCED
        part.__class__ = faults.UnfencedPartition if unfenced else faults.FaultyPartition
        return part

    def on_taken_over(self, part: OwnedPartition) -> None:
        super().on_taken_over(part)
        generation = self.consumer_generation_id
        print(f"OWNED {part.tp.partition} position={part.position} restored={part.restored} generation={generation}", flush=True)

    def on_left(self, part: OwnedPartition) -> None:
        super().on_left(part)
        print(f"LEFT {part.tp.partition} committed={part.committed}", flush=True)


def main() -> None:
    options = argparse.ArgumentParser()
    for name in ("bootstrap", "prefix", "datadir"):
        options.add_argument(f"--{name}", required=True)
    options.add_argument("--instance", default="")
    options.add_argument("--session-timeout", type=float, default=6.0)
    options.add_argument("--checkpoint", type=float, default=0.3)
    options.add_argument("--max-age", type=float, default=43_200)
    options.add_argument("--log-epoch", type=int, default=1)
    options.add_argument("--fault", default="")
    options.add_argument("--rate", type=float, default=1.0)
    told = options.parse_args()
    faulthandler.register(signal.SIGUSR1)  # a test that waits in vain asks where the threads are
    broker = Broker(told.bootstrap)
    names = [told.prefix + INBOX, told.prefix + CHANGELOG]
    counts, ids = asyncio.run(await_topics(broker, names))
    if told.fault == faults.SLOW_RESTORE:
        faults.slow_restores(told.rate, Path(told.datadir + ".restoring"))
    faults.FaultyPartition.fault, faults.FaultyPartition.rate = told.fault, told.rate
    CountingApp.fault = told.fault
    stage: Any = CountingStage()
    app = CountingApp(
        stage,
        [INBOX],
        Codec(),
        StageSettings(
            broker=broker,
            prefix=told.prefix,
            datadir=told.datadir,
            instance=f"{told.prefix}{STAGE}.{told.instance}" if told.instance else None,
            checkpoint_interval=told.checkpoint,
            session_timeout=told.session_timeout,
            log_epoch=told.log_epoch,
            changelog_max_age=told.max_age,
            topic_ids=ids,
            partitions=counts[names[0]],
        ),
    )
    worker = Worker(app, loglevel="INFO", redirect_stdouts=False, override_logging=True, daemon=True)
    raise SystemExit(worker.execute_from_commandline())


if __name__ == "__main__":
    main()
