"""A run by worker processes on a broker: a real Kafka, or the one inside this process. The steps stand in `run`, in order."""

import contextlib
import json
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from app.cycles import OF_A_RUN, seldom_looked_for
from app.erp.of_run import RunErp
from app.erp.traffic import JOURNAL
from app.inputs.input_files import InputFile
from app.inputs.recorded_input import RecordedInput
from app.kafka.broker import Broker
from app.kafka.configurations import Configurations
from app.kafka.embedded import EmbeddedBroker
from app.kafka.topic_plan import wanted_topics
from app.kafka.topics import apply
from app.ledger.books.collector import Collector
from app.run.feeder import Feeder
from app.run.request import Ran, RunRequest, on_their_way
from app.run.telemetry import TelemetryReader
from app.run.workers import Workers
from app.topology import STAGES, InstalledTopology, raw_topics
from schemas.codec import Codec
from schemas.configuration import Configuration
from schemas.topics import ORDERS_INBOX, changelog_of, inbox_of
from streams.clock import told
from tables.row_kinds import POSTING_ROWS

DRAIN_POLL_SECONDS = 0.05


def run(request: RunRequest, erp: RunErp, files: Sequence[InputFile], key: bytes) -> Ran:
    """Raises RunStalled, WorkerLost, LedgerIncomplete and what a broker may say."""
    began = time.monotonic()
    prefix, configuration = f"run-{secrets.token_hex(4)}.", erp.configuration
    plant = configuration.plant
    with contextlib.ExitStack() as stack:
        stack.enter_context(seldom_looked_for(OF_A_RUN))
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
        endpoints = request.catalog.of_one_plant(configuration.erp.erp.endpoint).endpoints
        stored = Configurations(broker, codec, prefix)
        installation = InstalledTopology(stored, True, request.catalog.partitions, endpoints=endpoints)
        feeder = Feeder(
            broker,
            prefix,
            raw,
            plant.plant.id,
            plant.clock.step_us,
            collector,
            installation.upstreams("orders", configuration),
            request.catalog.partitions(ORDERS_INBOX),
            lambda records, clock: request.progress("running", records, clock),
            workers.check,
        )
        records = RecordedInput(files, plant, key)
        request.reading(records, 0)
        feeder.feed(records)
        _drain(request, configuration, collector, feeder, workers, installation)
        since, before = feeder.streaming or (began, 0)
        rate = (feeder.fed - before) / (time.monotonic() - since)
        workers.stop()
        collector.settle()
        collector.check()
        return Ran(
            collector.encoded(),
            collector.encoded_exceptions(),
            dict(feeder.fed_of),
            rate,
            workers.restarts,
            telemetry.settle(),
        )


@contextlib.contextmanager
def _broker(request: RunRequest, prefix: str, raw: str) -> Iterator[Broker]:
    names = [topic.name for topic in wanted_topics(request.catalog, prefix, [raw], recorded=True)]
    if request.connection is None:
        with EmbeddedBroker() as embedded:
            embedded.touch(names)
            yield Broker(embedded.bootstrap, embedded=True)
        return
    broker = request.connection.broker
    broker.reach()
    admin = broker.admin()
    apply(admin, request.catalog, prefix, [raw], recorded=True)
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
    if request.installation is not None:
        arguments += ["--installation", str(request.installation.resolve())]
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


def _drain(
    request: RunRequest,
    configuration: Configuration,
    collector: Collector,
    feeder: Feeder,
    workers: Workers,
    installation: InstalledTopology,
) -> None:
    """Wait until every partition has folded the final tick from all upstreams and nothing is queued, dispatched or unknown."""
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
        wanted = installation.endpoints.values() if stage == "delivery" else range(installation.partitions(inbox_of(stage)))
        for partition in wanted:
            if partition not in positions:
                return f"partition {partition} of {stage} has folded nothing"
            late = [name for name in upstreams if told(positions[partition], plant, name) < end]
            if late:
                return f"partition {partition} of {stage} waits for the last tick of {', '.join(late)}"
    return ""


def _open_postings(configuration: Configuration, collector: Collector) -> str:
    """Postings that are on their way; empty: none."""
    count = on_their_way(configuration, collector.of(POSTING_ROWS))
    return f"{count} postings are on their way to the ERP" if count else ""
