"""Two plants with an ERP each in one installation, and a delivery worker with the configuration of one of them.

Real Kafka, real registry, the processes of the command line: nothing of a plant may reach the other one's ERP.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from app.erp.canary import find_leaks
from app.erp.sim.adapter import SimAdapter
from app.erp.simulator.process import SimulatorProcess
from app.observability.logs import KEYS
from tables.quantity import fraction
from tests.e2e.command import PROJECT, lineledger
from tests.platform.process import free_ports

TEMPLATE = Path(__file__).parent / "live"
PATIENCE_S, STOP_S = 120.0, 30.0


def until(found: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not found():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S} s for {what}"
        time.sleep(0.2)


def configured(folder: Path, plant: str, erp: str) -> Path:
    """The plant of test_live under another name, posting to the ERP that `erp` names in the environment."""
    folder.mkdir()
    for name in ("plant.yaml", "rules.yaml", "erp.yaml"):
        text = (TEMPLATE / name).read_text(encoding="utf-8")
        text = text.replace("id: LIVE", f"id: {plant}").replace("raw.live.presses", f"raw.{plant.lower()}.presses")
        text = text.replace("LIVE_ERP_URL", f"{erp}_URL").replace("live-erp-token", f"{erp.lower()}-token")
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@contextmanager
def worker(
    name: str, stages: list[str], config: Path | None, port: int, where: list[str], environ: dict[str, str], folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "app.cli.main", "worker", *stages, *(["--config", str(config)] if config else []), *where]
    command += ["--datadir", str(folder / name), "--instance", name, "--metrics-port", str(port)]
    with (folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=PROJECT, env={**os.environ, **environ}, stdout=log, stderr=log)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def asked(port: int, path: str) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return str(answer.read().decode()) if answer.status == 200 else ""
    except (urllib.error.URLError, OSError):
        return ""


def metric(port: int, name: str, **labels: str) -> float:
    for family in text_string_to_metric_families(asked(port, "/metrics")):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return sample.value
    return 0.0


def received(erp: SimulatorProcess, order: str) -> Fraction:
    """Pieces that this ERP has received for the order."""

    async def total() -> Fraction:
        adapter = SimAdapter(erp.url, erp.token)
        try:
            return sum((fraction(each.amount, each.scale) for each in await adapter.movements([order])), Fraction(0))
        finally:
            await adapter.close()

    return asyncio.run(total())


def everything_on(bootstrap: str, prefix: str) -> Iterator[bytes]:
    """Key, value and headers of every record of every topic of the installation."""
    settings = {"bootstrap.servers": bootstrap, "group.id": f"{prefix}reader", "enable.partition.eof": True}
    consumer = Consumer({**settings, "auto.offset.reset": "earliest", "isolation.level": "read_uncommitted"})
    topics = [topic for name, topic in consumer.list_topics(timeout=10).topics.items() if name.startswith(prefix)]
    parts = [TopicPartition(topic.topic, number, 0) for topic in topics for number in topic.partitions]
    consumer.assign(parts)
    left = len(parts)
    while left:
        message = consumer.poll(20)
        assert message is not None
        if message.error():
            assert message.error().code() == KafkaError._PARTITION_EOF
            left -= 1
        else:
            yield repr((message.key(), message.value(), message.headers())).encode()
    consumer.close()


class Floor:
    """One press per plant that counts shots for one order."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self._producer, self._prefix = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True}), prefix
        self._sent = 0

    def start(self, plant: str) -> None:
        self._send(plant, {"type": "order", "po": f"O{plant}", "qty": 100})
        self._send(plant, {"type": "start", "po": f"O{plant}", "run": f"R{plant}"})
        self.count(plant, 100)

    def count(self, plant: str, value: int) -> None:
        self._send(plant, {"type": "shots", "n": value, "seq": value})

    def _send(self, plant: str, record: dict[str, object]) -> None:
        self._sent += 1
        stamped = {"ts": time.time_ns() // 1_000_000, "m": "P1", "id": f"e{self._sent}", **record}
        self._producer.produce(f"{self._prefix}raw.{plant.lower()}.presses", json.dumps(stamped), partition=0)
        assert self._producer.flush(20) == 0


@pytest.mark.kafka
@pytest.mark.registry
def test_nothing_reaches_the_erp_of_another_plant(
    kafka_bootstrap: str, registry_url: str, topic_prefix: str, tmp_path: Path
) -> None:
    broker = ["--bootstrap", kafka_bootstrap, "--prefix", topic_prefix]
    raw = ["--raw", "raw.one.presses", "--raw", "raw.two.presses"]
    assert lineledger("topics", "apply", *broker, *raw, "--replication", "1").code == 0
    assert lineledger("schemas", "apply", "--registry", registry_url, "--prefix", topic_prefix).code == 0
    where = [*broker, "--registry", registry_url]
    one, two = configured(tmp_path / "one", "ONE", "ERP_A"), configured(tmp_path / "two", "TWO", "ERP_B")
    moved = configured(tmp_path / "moved", "ONE", "ERP_B")
    first, second, middle, port = free_ports(4)
    floor = Floor(kafka_bootstrap, topic_prefix)
    with SimulatorProcess(tmp_path / "erp-a") as a, SimulatorProcess(tmp_path / "erp-b") as b, ExitStack() as running:
        environ = {"ERP_A_URL": a.url, "ERP_A_TOKEN": a.token, "ERP_B_URL": b.url, "ERP_B_TOKEN": b.token}

        def started(name: str, stages: list[str], config: Path | None, port: int) -> subprocess.Popen[bytes]:
            return running.enter_context(worker(name, stages, config, port, where, environ, tmp_path))

        def stopped(process: subprocess.Popen[bytes]) -> None:
            process.send_signal(signal.SIGTERM)
            assert process.wait(STOP_S) == 0

        intake = started("intake-one", ["intake"], one, first)
        started("intake-two", ["intake"], two, second)
        started("middle", ["equipment", "lots", "orders"], None, middle)
        delivery = started("delivery", ["delivery"], one, port)
        until(lambda: all(asked(each, "/ready") for each in (first, second, middle, port)), "ready stages")

        for plant in ("TWO", "ONE"):
            floor.start(plant)
            floor.count(plant, 112)
        until(lambda: metric(port, "lineledger_erp_withheld_total", code="ERP_FOREIGN") >= 1, "a posting of TWO is refused")
        until(lambda: received(a, "OONE") == 12, "the receipt of ONE in its own ERP")
        assert metric(port, "lineledger_erp_foreign", plant="TWO") == 1
        assert metric(port, "lineledger_erp_foreign", plant="ONE") == 0
        floor.count("ONE", 115)
        until(lambda: received(a, "OONE") == 15, "ONE goes on")

        # The plant moves to another ERP; the delivery worker still runs with the configuration it was started with.
        stopped(intake)
        intake = started("intake-one", ["intake"], moved, first)
        until(lambda: metric(port, "lineledger_erp_foreign", plant="ONE") == 1, "the log has moved ONE")
        withheld = metric(port, "lineledger_erp_withheld_total", code="ERP_FOREIGN")
        floor.count("ONE", 120)
        until(lambda: metric(port, "lineledger_erp_withheld_total", code="ERP_FOREIGN") > withheld, "a posting of ONE is refused")
        assert (received(a, "OONE"), received(a, "OTWO")) == (15, 0)
        assert (received(b, "OONE"), received(b, "OTWO")) == (0, 0)

        stopped(delivery)
        running_delivery = started("delivery", ["delivery"], two, port)
        until(lambda: (received(b, "OONE"), received(b, "OTWO")) == (5, 12), "the right worker posts what waited")
        assert (received(a, "OONE"), received(a, "OTWO")) == (15, 0)
        assert metric(port, "lineledger_erp_foreign", plant="ONE") == 0
        arguments = [(Path("/proc") / str(each.pid) / "cmdline").read_bytes() for each in (intake, running_delivery)]
        told = [asked(each, "/metrics").encode() for each in (first, second, middle, port)]
        secrets = [a.token, b.token]
    written = [path.read_bytes() for path in tmp_path.glob("*.log")]
    kept = list(everything_on(kafka_bootstrap, topic_prefix))
    assert len(written) == 4
    assert len(kept) > 50
    assert find_leaks([*arguments, *told, *written, b"\n".join(kept)], secrets) == []
    lines = [json.loads(line) for log in written for line in log.splitlines()]
    assert {tuple(line) for line in lines} == {KEYS}
    assert not [line for line in lines if "HTTP" in line["event"]], "a call to the ERP is no line of the log"
