"""One run: broker, topics, workers, input, drain, ledger. The steps stand in `execute`, in order."""

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from app.erp.of_run import RunErp, started
from app.erp.telemetry_check import Finding, look
from app.erp.traffic import JOURNAL, journalled
from app.inputs.recorded_input import InputFile, merged
from app.kafka.broker import Broker
from app.kafka.configurations import Configurations
from app.kafka.connection import Connection
from app.kafka.embedded import EmbeddedBroker
from app.kafka.topic_plan import wanted_topics
from app.kafka.topics import apply
from app.ledger.books import snapshot as ledger
from app.ledger.books.collector import Collector
from app.ledger.books.erp_calls import own_words
from app.ledger.books.inputs import note
from app.run import in_memory
from app.run.feeder import Feeder
from app.run.master_data import master_data
from app.run.pulled import with_pulled
from app.run.telemetry import TelemetryReader
from app.run.workers import Workers
from app.secret import private_key
from app.topology import STAGES, InstalledTopology, raw_topics
from schemas.catalog import catalog
from schemas.codec import Codec
from schemas.configuration import Configuration
from schemas.topics import ORDERS_INBOX, changelog_of, inbox_of
from streams.clock import told
from tables.delivery.posting_state import REPORTED
from tables.row_kinds import POSTING_ROWS

DRAIN_POLL_SECONDS = 0.05


@dataclass(slots=True)
class RunRequest:
    """What `lineledger run` was asked. `connection` None: the embedded broker. `client_config`: the file for its workers."""

    configuration: Configuration
    config_dir: Path
    files: Sequence[InputFile]
    out: Path
    home: Path
    connection: Connection | None = None
    in_memory: bool = False
    """All stages in this process, without a broker."""
    client_config: Path | None = None
    workers: int = 1
    erp: str = ""
    keep_topics: bool = False
    refused_at_most: Fraction = Fraction(1)
    """Share of an input's records; with more refused the run is not exact."""
    provision: Sequence[InputFile] = ()
    """What an ERP that the run starts is filled from; empty: from `files`."""
    progress: Callable[[str, int, int], None] = lambda phase, records, clock: None
    started: Callable[[dict[str, list[int]]], None] = lambda pids: None


@dataclass(slots=True)
class RunResult:
    snapshot: ledger.Snapshot
    seconds: float
    records: int
    erp: str
    restarts: int
    rate: float
    """Raw records per second from intake's first commit until drained: without the start of processes."""
    calls: dict[str, Any] = field(default_factory=dict)
    telemetry: Finding = field(default_factory=lambda: Finding(0, 0, ()))
    """What of this run's telemetry was found in its requests to the ERP."""


Reconcile = Callable[[ledger.Snapshot, RunErp, Path], dict[str, Any]]


def execute(request: RunRequest, reconcile: Reconcile) -> RunResult:
    """Run all stages over the input until drained; write the ledger folder. `reconcile`: asks the ERP while it is up."""
    request.out.mkdir(parents=True, exist_ok=True)
    (request.out / JOURNAL).unlink(missing_ok=True)
    request.progress("starting", 0, 0)
    return (_in_memory if request.in_memory else _on_broker)(request, reconcile)


def _in_memory(request: RunRequest, reconcile: Reconcile) -> RunResult:
    began = time.monotonic()
    plant, key = request.configuration.plant, private_key(request.configuration.plant, os.environ)
    noted = note(request.files, request.out)
    with started(
        request.erp,
        request.configuration,
        request.out,
        request.home,
        lambda: master_data(request.provision or request.files, plant, key),
    ) as erp:
        files = with_pulled(request.files, plant, erp, request.out, key)
        chain = in_memory.Chain(erp.configuration, next(iter(raw_topics(erp.configuration, recorded=True))), key)
        since = time.monotonic()
        fed = asyncio.run(
            in_memory.feed(
                chain,
                merged(files, plant, key),
                erp.environ,
                request.out / JOURNAL,
                lambda records, clock: request.progress("running", records, clock),
            )
        )
        rate = fed.records / (time.monotonic() - since)
        about = {
            "erp": erp.name,
            "records": fed.records,
            "embedded": False,
            "in_memory": True,
            "restarts": 0,
            "inputs": noted,
            "erp_store": erp.store,
            "fed": dict(fed.by_file),
            "refused_at_most": str(request.refused_at_most),
        }
        ledger.write(request.out, chain.encoded(), chain.letters, erp.configuration, about)
        snapshot = ledger.read(request.out, chain.codec)
        calls = reconcile(snapshot, erp, request.out)
        found = look(journalled(request.out / JOURNAL), chain.seen.canaries(own_words(snapshot)))
        return RunResult(snapshot, time.monotonic() - began, fed.records, erp.name, 0, rate, calls, found)


def _on_broker(request: RunRequest, reconcile: Reconcile) -> RunResult:
    began = time.monotonic()
    plant = request.configuration.plant
    prefix = f"run-{secrets.token_hex(4)}."
    key = private_key(plant, os.environ)
    noted = note(request.files, request.out)
    with contextlib.ExitStack() as stack:
        erp = stack.enter_context(
            started(
                request.erp,
                request.configuration,
                request.out,
                request.home,
                lambda: master_data(request.provision or request.files, plant, key),
            )
        )
        files = with_pulled(request.files, plant, erp, request.out, key)
        configuration = erp.configuration
        raw = next(iter(raw_topics(configuration, recorded=True)))
        broker = stack.enter_context(_broker(request, prefix, raw))
        codec = Codec()
        Configurations(broker, codec, prefix).publish(configuration)
        stages = {"intake": f"intake.{raw}.changelog", **{stage: changelog_of(stage) for stage in STAGES[1:]}}
        collector = Collector(broker, codec, prefix, stages)
        stack.callback(collector.close)
        telemetry = TelemetryReader(broker, codec, prefix)
        stack.callback(telemetry.close)
        state = request.out / "state" / prefix.rstrip(".")
        stack.callback(shutil.rmtree, state, ignore_errors=True)  # local stores are caches of topics that end with the run
        workers = _workers(request, broker, prefix, configuration, erp, state)
        stack.callback(workers.stop)
        workers.start()
        request.started(workers.pids())
        upstreams = InstalledTopology(Configurations(broker, codec, prefix), recorded=True).upstreams("orders", configuration)
        feeder = Feeder(
            broker,
            prefix,
            raw,
            plant.plant.id,
            plant.clock.step_us,
            collector,
            upstreams,
            catalog().partitions(ORDERS_INBOX),
            lambda records, clock: request.progress("running", records, clock),
            workers.check,
        )
        feeder.feed(merged(files, plant, key))
        _drain(request, configuration, collector, feeder, workers)
        since, before = feeder.streaming or (began, 0)
        rate = (feeder.fed - before) / (time.monotonic() - since)
        workers.stop()
        collector.settle()
        collector.check()
        about = {
            "erp": erp.name,
            "records": feeder.fed,
            "embedded": broker.embedded,
            "restarts": workers.restarts,
            "inputs": noted,
            "erp_store": erp.store,
            "fed": dict(feeder.fed_of),
            "refused_at_most": str(request.refused_at_most),
        }
        ledger.write(request.out, collector.encoded(), collector.encoded_exceptions(), configuration, about)
        snapshot = ledger.read(request.out, codec)
        calls = reconcile(snapshot, erp, request.out)
        found = look(journalled(request.out / JOURNAL), telemetry.settle().canaries(own_words(snapshot)))
        return RunResult(snapshot, time.monotonic() - began, feeder.fed, erp.name, workers.restarts, rate, calls, found)


@contextlib.contextmanager
def _broker(request: RunRequest, prefix: str, raw: str) -> Iterator[Broker]:
    names = [topic.name for topic in wanted_topics(catalog(), prefix, [raw], recorded=True)]
    if request.connection is None:
        with EmbeddedBroker() as embedded:
            embedded.touch(names)
            yield Broker(embedded.bootstrap, embedded=True)
        return
    broker = request.connection.broker
    broker.reach()
    admin = broker.admin()
    apply(admin, catalog(), prefix, [raw], recorded=True)
    try:
        yield broker
    finally:
        if not request.keep_topics:
            for future in admin.delete_topics(names).values():
                with contextlib.suppress(Exception):  # a leftover topic of a run is no failure of the run
                    future.result(30)


def _workers(request: RunRequest, broker: Broker, prefix: str, configuration: Configuration, erp: RunErp, state: Path) -> Workers:
    stored = request.out / "configuration.json"
    stored.write_text(json.dumps(configuration.document().to_avro()), encoding="utf-8")
    arguments = ["--bootstrap", broker.bootstrap, "--prefix", prefix, "--configuration", str(stored), "--recorded"]
    arguments += ["--erp-journal", str((request.out / JOURNAL).absolute())]
    arguments += ["--datadir", str(state), *(["--embedded"] if broker.embedded else [])]
    if request.client_config is not None:
        arguments += ["--client-config", str(request.client_config.resolve())]  # a file: nothing secret in a list of processes
    pids = request.out / "pids.json"
    return Workers(
        arguments,
        STAGES,
        request.workers,
        request.out / "logs",
        erp.environ,
        lambda found: write_atomically(pids, json.dumps(found)),
    )


def write_atomically(path: Path, text: str) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def _drain(request: RunRequest, configuration: Configuration, collector: Collector, feeder: Feeder, workers: Workers) -> None:
    """Wait until every partition has folded the final tick from all upstreams and nothing is queued, dispatched or unknown."""
    installation = InstalledTopology(None, recorded=True)  # type: ignore[arg-type]  # only upstreams are asked for
    plant = configuration.plant.plant.id
    while waits_for := _behind(collector, installation, configuration, plant) or _open_postings(configuration, collector):
        request.progress("draining", feeder.fed, feeder.clock())
        collector.check()
        workers.check()
        feeder.check_movement(waits_for)
        time.sleep(DRAIN_POLL_SECONDS)


def _behind(collector: Collector, installation: InstalledTopology, configuration: Configuration, plant: str) -> str:
    """The first partition, downstream, that has not folded the final tick, and whom it waits for; empty: all have."""
    intake = collector.positions("intake").get(0)
    if intake is None or not intake.marks.get("final"):
        return "intake has not read to the end of the input"
    end = intake.marks.get("tick")
    if end is None:
        return ""  # no record said when it came: there was nothing for the other stages
    for stage in ("equipment", "lots", "orders", "delivery"):
        upstreams = installation.upstreams(stage, configuration)
        positions = collector.positions(stage)
        wanted = catalog().endpoints.values() if stage == "delivery" else range(catalog().partitions(inbox_of(stage)))
        for partition in wanted:
            if partition not in positions:
                return f"partition {partition} of {stage} has folded nothing"
            late = [name for name in upstreams if told(positions[partition], plant, name) < end]
            if late:
                return f"partition {partition} of {stage} waits for the last tick of {', '.join(late)}"
    return ""


def _open_postings(configuration: Configuration, collector: Collector) -> str:
    """Postings that are on their way; empty: none. Held and parked ones wait for somebody; without an ERP all stay queued."""
    if configuration.erp.erp.entry is None or configuration.plant.shadow:
        return ""
    count = sum(row.state not in REPORTED for row in collector.of(POSTING_ROWS))
    return f"{count} postings are on their way to the ERP" if count else ""
