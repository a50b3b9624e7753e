"""One recorded shift run again and again: on which broker, by how many workers, with what going wrong, is up to the test."""

import json
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.configuration import load, load_installation
from app.demo.master import CONFIGURATION, configuration_for
from app.demo.shift import START_MS
from app.inputs.input_files import inputs
from app.kafka.broker import Broker
from app.kafka.connection import Connection
from app.ledger.proof import balance, erp_check
from app.ledger.questions import export
from app.run.request import RunRequest
from app.run.run import execute
from app.topology import STAGES
from schemas.catalog import catalog
from tests.e2e.exported import decided_by_the_log

HOUR_US = 3_600_000_000
START_US = START_MS * 1000


@dataclass(slots=True, frozen=True)
class Exported:
    """What a run decided, and how often a worker was started again."""

    postings: bytes
    not_posted: bytes
    restarts: int


def run(
    files: Sequence[Path],
    out: Path,
    bootstrap: str = "",
    workers: int = 1,
    progress: Callable[[str, int, int], None] | None = None,
    config: Path | None = None,
    embedded: bool = False,
    installation: Path | None = None,
) -> Exported:
    """The demo's plant, or the one of `config`, over `files`. Asserts that its ledger is exact and that the ERP agrees."""
    configuration = configuration_for("sim") if config is None else load(config)
    request = RunRequest(
        configuration=configuration,
        config_dir=config or CONFIGURATION,
        files=inputs([str(path) for path in files], configuration.plant),
        out=out,
        home=out / "home",
        connection=Connection(Broker(bootstrap)) if bootstrap else None,
        embedded=embedded,
        workers=workers,
        erp="sim",
        installation=installation,
        catalog=catalog() if installation is None else load_installation(installation).content.catalog(),
        progress=progress or (lambda phase, records, clock: None),
    )
    result = execute(request, erp_check.check)
    proof = balance.prove(result.snapshot)
    assert proof.differences == []
    assert result.calls["differences"] == []
    assert result.calls["orders"] > 0
    written = export.write(out / "postings.csv", result.snapshot, proof)
    postings, not_posted = (decided_by_the_log(path) for path in written)
    return Exported(postings, not_posted, result.restarts)


@dataclass(slots=True)
class Killer:
    """Progress of a run that ends each stage once, without warning: a stage per hour of the shift, delivery at its end.

    `forget`: the stage whose dead worker also loses its volume, so that its successor restores from the changelog.
    """

    out: Path
    forget: str
    start_us: int = START_US
    killed: dict[str, list[int]] = field(default_factory=dict)
    forgotten: list[str] = field(default_factory=list)

    def __call__(self, phase: str, records: int, clock: int) -> None:
        waiting = [stage for stage in STAGES if stage not in self.killed]
        if not waiting:
            return
        stage = waiting[0]
        if clock >= self.start_us + (STAGES.index(stage) + 1) * HOUR_US and (stage != "delivery" or phase == "draining"):
            self._kill(stage)

    def _kill(self, stage: str) -> None:
        pids = json.loads((self.out / "pids.json").read_text(encoding="utf-8"))[stage]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        for pid in pids:
            # Dead for certain, and left to its supervisor to notice.
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        self.killed[stage] = pids
        if stage == self.forget:
            self._forget(stage)

    def _forget(self, stage: str) -> None:
        for store in sorted(self.out.glob(f"state/*/0/**/{stage}-*.db")):
            for path in sorted(store.rglob("*"), reverse=True):
                path.unlink() if path.is_file() else path.rmdir()
            store.rmdir()
            self.forgotten.append(store.name)
