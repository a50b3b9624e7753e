"""One run: ERP, input, a machine that folds it, ledger. The steps stand in `execute`, in order."""

import json
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.books import of_run as books
from app.erp.of_run import RunErp, started
from app.erp.telemetry_check import Finding, look
from app.erp.traffic import JOURNAL, journalled, mended
from app.inputs.recorded_input import named
from app.ledger.books import snapshot as ledger
from app.ledger.books.erp_calls import own_words
from app.ledger.books.inputs import note
from app.run import in_memory, on_broker
from app.run.master_data import master_data
from app.run.pulled import PULLED, with_pulled
from app.run.request import RunRequest
from app.run.resume import Basis, begun, folded, gone_on
from app.secret import private_key


@dataclass(slots=True)
class RunResult:
    snapshot: ledger.Snapshot
    seconds: float
    records: int
    erp: str
    restarts: int
    rate: float
    """Raw records per second, without the start of processes."""
    calls: dict[str, Any] = field(default_factory=dict)
    telemetry: Finding = field(default_factory=lambda: Finding(0, 0, ()))
    """What of this run's telemetry was found in its requests to the ERP."""


Reconcile = Callable[[ledger.Snapshot, RunErp, Path], dict[str, Any]]


def execute(request: RunRequest, reconcile: Reconcile) -> RunResult:
    """Run all stages over the input until drained; write the ledger folder. `reconcile`: asks the ERP while it is up."""
    began = time.monotonic()
    out, plant = request.out, request.configuration.plant
    out.mkdir(parents=True, exist_ok=True)
    request.progress("starting", 0, 0)
    key = private_key(plant, os.environ)
    noted = note(request.files, out)
    name = _begun(request, noted, key)
    opening = request.provision or request.files
    with started(request.erp, request.configuration, out, request.home, lambda: master_data(opening, plant, key), name) as erp:
        files = with_pulled(request.files, plant, erp, out, key, again=request.resume and folded(request.checkpoint))
        in_process = request.connection is None and not request.embedded
        ran = (in_memory if in_process else on_broker).run(request, erp, files, key)
        records = sum(ran.fed.values())
        about = {
            "erp": erp.name,
            "records": records,
            "embedded": request.embedded and request.connection is None,
            "in_memory": in_process,
            "restarts": ran.restarts,
            "inputs": noted,
            "erp_store": erp.store,
            "fed": dict(ran.fed),
            "sources": {name: file.source for file, name in named(files)},
            "refused_at_most": str(request.refused_at_most),
        }
        books.forget(out)
        ledger.write(out, ran.rows, ran.letters, erp.configuration, about)
        snapshot = ledger.read(out)
        books.write(out, snapshot.rows, [*snapshot.letters, *snapshot.settled], erp.configuration, _texts(about))
        calls = reconcile(snapshot, erp, out)
        found = look(journalled(out / JOURNAL), ran.seen.canaries(own_words(snapshot)))
        return RunResult(snapshot, time.monotonic() - began, records, erp.name, ran.restarts, ran.rate, calls, found)


def _begun(request: RunRequest, noted: list[dict[str, Any]], key: bytes) -> str:
    """Begin, or go on with what was begun; the run's name. Raises NothingToResume, RunDiffers."""
    journal = request.out / JOURNAL
    basis = Basis.of(request.configuration, noted, request.erp, key)
    if request.checkpoint is not None and request.resume:
        name = gone_on(request.checkpoint, basis)
        mended(journal)
        return name
    journal.unlink(missing_ok=True)
    pulled = request.out / PULLED
    if all(file.path.resolve() != pulled.resolve() for file in request.files):
        pulled.unlink(missing_ok=True)  # of an earlier run
    if request.checkpoint is None or request.asked is None:
        return secrets.token_hex(4)
    return begun(request.checkpoint, request.asked, basis)


def _texts(about: dict[str, Any]) -> dict[str, str]:
    """As the books have it: text, or JSON."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in about.items()}
