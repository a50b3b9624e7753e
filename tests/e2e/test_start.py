"""How workers start, wait and end: sources one by one, what is missing is named at once, SIGTERM ends a process that waits, and
a broker that is away costs a line a second."""

import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import NewTopic

from app.fatal import Exit
from app.kafka.broker import Broker
from app.kafka.connection import Connection
from app.kafka.registry import Registry
from app.topology import STAGES
from schemas.records import ConfigActivated, CounterFrame, Tick
from tests.e2e.live_plant import CONFIG, RAW, Installation, order, shots, until
from tests.platform.kafka_jars import ClusterProcess
from tests.platform.process import free_ports

pytestmark = [pytest.mark.kafka, pytest.mark.registry, pytest.mark.slow]
SECOND = "raw.live.scales"
SECOND_SOURCE = f"""
  scales:
    read: {{topic: {SECOND}, format: json, event_id: id, sequence: seq, occurred_at: {{path: ts, date: epoch_ms}}, equipment: m}}
    events:
      - {{when: {{type: shots}}, emit: CounterReading, counter: =shots, value: n}}
"""
NAMED_WITHIN_S, ENDS_WITHIN_S, AWAY_S = 10.0, 10.0, 20.0
ENVIRON = {"LIVE_ERP_URL": "http://127.0.0.1:1", "LIVE_ERP_TOKEN": "t"}


def _installed(bootstrap: str, registry: str, prefix: str, folder: Path, raw: str = RAW) -> Installation:
    where = ["--bootstrap", bootstrap, "--prefix", prefix, "--registry", registry]
    plant = Installation(where, Connection(Broker(bootstrap), prefix, Registry(registry)), folder, ENVIRON)
    applied = plant.command("topics", "apply", *where[:4], "--raw", raw, "--replication", "1")
    assert applied.code == 0, applied.said
    registered = plant.command("schemas", "apply", *where[2:])
    assert registered.code == 0, registered.said
    return plant


def _two_sources(folder: Path) -> Path:
    config = folder / "config"
    shutil.copytree(CONFIG, config)
    file = config / "plant.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("equipment:\n  P1:", f"{SECOND_SOURCE}equipment:\n  P1:"), encoding="utf-8")
    return config


def test_a_missing_raw_topic_is_named_at_once_and_holds_up_no_other(
    kafka_bootstrap: str, registry_url: str, topic_prefix: str, tmp_path: Path
) -> None:
    plant = _installed(kafka_bootstrap, registry_url, topic_prefix, tmp_path)
    plant.config = _two_sources(tmp_path)
    with plant.worker("intake") as process:
        until(lambda: plant.reasons("intake") is not None, "an answer of /ready")
        began = time.monotonic()
        until(lambda: any("TOPIC_MISSING" in reason for reason in plant.reasons("intake") or ()), "the missing topic is named")
        assert time.monotonic() - began < NAMED_WITHIN_S
        assert any(f"{topic_prefix}{SECOND}" in reason for reason in plant.reasons("intake") or ())
        assert "TOPIC_MISSING" in plant.log("intake")
        plant.send(*order(), *shots((0, 100), (1, 105)))
        until(lambda: bool(_frames(plant)), "the source whose topic is there is read")
        applied = plant.command("topics", "apply", *plant.where[:4], "--raw", SECOND, "--replication", "1")
        assert applied.code == 0, applied.said
        until(lambda: plant.reasons("intake") == [], "the other one, once somebody made its topic")
        before = len(_frames(plant))
        plant.send(*shots((7, 200)), raw=SECOND)
        until(lambda: len(_frames(plant)) > before, "the other source is read")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def _frames(plant: Installation) -> list[object]:
    return [record for record in plant.content("equipment.inbox") if isinstance(record, CounterFrame)]


WAITS = ["no broker", "no topics", "no registry", "no schemas"]


@pytest.mark.parametrize("waits_for", WAITS)
def test_sigterm_ends_every_stage_that_waits(
    kafka_bootstrap: str, registry_url: str, topic_prefix: str, tmp_path: Path, waits_for: str
) -> None:
    (nobody,) = free_ports(1)
    registry = f"http://127.0.0.1:{nobody}" if waits_for == "no registry" else registry_url
    bootstrap = f"127.0.0.1:{nobody}" if waits_for == "no broker" else kafka_bootstrap
    where = ["--bootstrap", bootstrap, "--prefix", topic_prefix, "--registry", registry]
    plant = Installation(where, Connection(Broker(bootstrap), topic_prefix), tmp_path, ENVIRON)
    if waits_for in ("no registry", "no schemas"):
        applied = plant.command("topics", "apply", *where[:4], "--raw", RAW, "--replication", "1")
        assert applied.code == 0, applied.said
    said = {"no broker": "no broker answers", "no topics": "TOPIC_MISSING"}
    said |= {"no registry": "REGISTRY_UNAVAILABLE", "no schemas": "SCHEMA_NOT_REGISTERED"}
    for pair in (STAGES[:3], STAGES[3:]):
        with _started(plant, pair) as found:
            for stage in pair:
                until(lambda stage=stage: any(said[waits_for] in one for one in plant.reasons(stage) or ()), said[waits_for])  # type: ignore[misc]
            for process in found:
                process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            assert [process.wait(60) for process in found] == [0] * len(found)
            assert time.monotonic() - began < ENDS_WITHIN_S


class _started:
    """Workers that nobody waits for."""

    def __init__(self, plant: Installation, stages: tuple[str, ...]) -> None:
        self._workers = [plant.worker(stage) for stage in stages]

    def __enter__(self) -> list[subprocess.Popen[bytes]]:
        return [worker.__enter__() for worker in self._workers]

    def __exit__(self, *error: object) -> None:
        for worker in self._workers:
            worker.__exit__(None, None, None)


def test_sigterm_ends_a_fold_that_waits_for_a_configuration(
    kafka_bootstrap: str, registry_url: str, topic_prefix: str, tmp_path: Path
) -> None:
    """A record names a configuration that nobody stored (its topic may be behind): the fold holds the loop and looks for it."""
    plant = _installed(kafka_bootstrap, registry_url, topic_prefix, tmp_path)
    codec, sender, now = plant.admin.codec(), f"intake/{RAW}/0", time.time_ns() // 1000
    records = [ConfigActivated("LIVE", "0" * 64, 0, sender), Tick("LIVE", now, sender)]
    producer = Producer(plant.admin.broker.client())
    for record in records:
        producer.produce(f"{topic_prefix}equipment.inbox", codec.encode(record), key="LIVE", partition=0)
    assert producer.flush(20) == 0
    with plant.worker("equipment") as process:
        until(lambda: _holds_the_loop(plant), "a fold that holds the loop", 120)
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert process.wait(60) == Exit.CONFIG_MISSING
        assert time.monotonic() - began < ENDS_WITHIN_S
    assert "0" * 64 in plant.log("equipment")


def _holds_the_loop(plant: Installation) -> bool:
    """It is restored, knows what waits, and gets no further."""
    return any("made no progress" in reason for reason in plant.reasons("equipment") or ())


def test_a_broker_that_goes_away_costs_a_line_a_second_and_sigterm_still_ends_the_process(
    kafka_process: ClusterProcess, registry_url: str, tmp_path: Path
) -> None:
    plant = _installed(kafka_process.bootstrap, registry_url, "away.", tmp_path)
    stages = ("intake", "orders")
    with _started(plant, stages) as found:
        until(lambda: all(plant.reasons(stage) == [] for stage in stages), "two ready stages")
        kafka_process.stop(kill=True)
        gone = time.monotonic()
        lines = {stage: len(plant.log(stage).splitlines()) for stage in stages}
        until(lambda: time.monotonic() - gone > AWAY_S, "a while", AWAY_S + 5)
        for stage in stages:
            written = plant.log(stage).splitlines()[lines[stage] :]
            assert len(written) <= AWAY_S + 3, "\n".join(written)
        assert [process.poll() for process in found] == [None, None], [plant.log(stage)[-1000:] for stage in stages]
        for process in found:
            process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        codes = [process.wait(60) for process in found]
        assert time.monotonic() - began < ENDS_WITHIN_S, codes
        assert set(codes) <= {0, 76}, codes


def test_intake_waits_for_its_broker_as_the_other_stages_do(
    kafka_process: ClusterProcess, registry_url: str, tmp_path: Path
) -> None:
    plant = _installed(kafka_process.bootstrap, registry_url, "late.", tmp_path)
    kafka_process.stop()
    with _started(plant, STAGES) as found:
        for stage in STAGES:
            until(lambda stage=stage: any("no broker" in one for one in plant.reasons(stage) or ()), stage)  # type: ignore[misc]
        kafka_process.start()
        until(lambda: all(plant.reasons(stage) == [] for stage in STAGES), "five ready stages")
        assert [process.poll() for process in found] == [None] * len(STAGES)


def test_an_unwritten_new_topic_does_not_hide_the_missing_changelog(
    kafka_bootstrap: str, registry_url: str, topic_prefix: str, tmp_path: Path
) -> None:
    """Somebody made the raw topic by hand, and not the changelog that goes with it."""
    plant = _installed(kafka_bootstrap, registry_url, topic_prefix, tmp_path)
    plant.config = _two_sources(tmp_path)
    admin = plant.admin.broker.admin()  # kept: its answers end with it
    admin.create_topics([NewTopic(f"{topic_prefix}{SECOND}", 4, 1)])[f"{topic_prefix}{SECOND}"].result(20)
    with plant.worker("intake"):
        changelog = f"{topic_prefix}intake.{SECOND}.changelog"
        until(lambda: any(changelog in reason for reason in plant.reasons("intake") or ()), "the missing changelog is named")
