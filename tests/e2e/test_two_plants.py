"""Two plants with an ERP each in one installation: endpoints by name, one delivery worker that follows the log.

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
import yaml
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
Process = subprocess.Popen[bytes]


def until(found: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not found():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S} s for {what}"
        time.sleep(0.2)


def configured(folder: Path, plant: str, erp: str, endpoint: str) -> Path:
    """The plant of test_live under another name, posting to the ERP that `erp` names in the environment."""
    folder.mkdir()
    for name in ("plant.yaml", "rules.yaml", "erp.yaml"):
        text = (TEMPLATE / name).read_text(encoding="utf-8")
        text = text.replace("id: LIVE", f"id: {plant}").replace("raw.live.presses", f"raw.{plant.lower()}.presses")
        text = text.replace("adapter: sim,", f"endpoint: {endpoint}, adapter: sim, timeout: 2 s, commit_horizon: 1 s,")
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
        self.counted: dict[str, int] = {}
        """Of each plant's press, the last count."""

    def start(self, plant: str) -> None:
        self._send(plant, {"type": "order", "po": f"O{plant}", "qty": 100})
        self._send(plant, {"type": "start", "po": f"O{plant}", "run": f"R{plant}"})
        self.count(plant, 100)

    def count(self, plant: str, value: int) -> None:
        self.counted[plant] = value
        self._send(plant, {"type": "shots", "n": value, "seq": value})

    def _send(self, plant: str, record: dict[str, object]) -> None:
        self._sent += 1
        stamped = {"ts": time.time_ns() // 1_000_000, "m": "P1", "id": f"e{self._sent}", **record}
        self._producer.produce(f"{self._prefix}raw.{plant.lower()}.presses", json.dumps(stamped), partition=0)
        assert self._producer.flush(20) == 0


def described(file: Path, broker: str, registry: str, prefix: str, plants: dict[str, Path], endpoints: dict[str, int]) -> Path:
    content = {
        "prefix": prefix,
        "kafka": {"bootstrap": broker},
        "registry": {"url": registry},
        "topics": {"replication": 1},
        "endpoints": endpoints,
        "plants": {name: {"configuration": str(folder)} for name, folder in plants.items()},
    }
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return file


@pytest.mark.kafka
@pytest.mark.registry
def test_each_plant_posts_to_its_own_endpoint(kafka_bootstrap: str, registry_url: str, topic_prefix: str, tmp_path: Path) -> None:
    """Two ERPs by name, one delivery worker without a configuration; one of them stands still, and its plant moves to the other;
    then a plant names an ERP that nobody has, until the document has it."""
    one, two = configured(tmp_path / "one", "ONE", "ERP_A", "alpha"), configured(tmp_path / "two", "TWO", "ERP_B", "beta")
    moved = configured(tmp_path / "moved", "ONE", "ERP_B", "beta")
    strange = configured(tmp_path / "strange", "TWO", "ERP_C", "gamma")
    where = (kafka_bootstrap, registry_url, topic_prefix)
    plants, endpoints = {"ONE": one, "TWO": two}, {"alpha": 0, "beta": 1}
    document = described(tmp_path / "installation.yaml", *where, plants, endpoints)
    wider = described(tmp_path / "wider.yaml", *where, plants, {**endpoints, "gamma": 2})
    for command in ("topics", "schemas"):
        assert lineledger(command, "apply", "-f", document).code == 0
    first, second, middle, port = free_ports(4)
    floor = Floor(kafka_bootstrap, topic_prefix)
    with ExitStack() as running:
        a, b, c = (running.enter_context(SimulatorProcess(tmp_path / f"erp-{name}")) for name in "abc")
        environ = {f"ERP_{name}_URL": erp.url for name, erp in zip("ABC", (a, b, c), strict=True)}
        environ |= {f"ERP_{name}_TOKEN": erp.token for name, erp in zip("ABC", (a, b, c), strict=True)}

        def started(name: str, stages: list[str], config: Path | None, port: int, by: Path = document) -> Process:
            return running.enter_context(worker(name, stages, config, port, ["-f", str(by)], environ, tmp_path))

        def stopped(process: Process) -> None:
            process.send_signal(signal.SIGTERM)
            assert process.wait(STOP_S) == 0

        intakes = {"ONE": started("intake-one", ["intake"], one, first), "TWO": started("intake-two", ["intake"], two, second)}
        between = started("middle", ["equipment", "lots", "orders"], None, middle)
        delivery = started("delivery", ["delivery"], None, port)
        until(lambda: all(asked(each, "/ready") for each in (first, second, middle, port)), "ready stages")
        for plant in ("TWO", "ONE"):
            floor.start(plant)
            floor.count(plant, 112)
        until(lambda: (received(a, "OONE"), received(b, "OTWO")) == (12, 12), "each receipt in its own ERP")

        # An ERP stands still with a posting that nobody knows the outcome of. The other one goes on, and so does its plant there.
        os.kill(a.pid, signal.SIGSTOP)
        floor.count("ONE", 115)
        until(lambda: metric(port, "lineledger_erp_calls_total", endpoint="alpha", result="unknown") >= 1, "an unknown outcome")
        stopped(intakes["ONE"])
        intakes["ONE"] = started("intake-one", ["intake"], moved, first)
        until(lambda: asked(first, "/ready"), "intake with the other endpoint")
        floor.count("TWO", 113)
        until(lambda: received(b, "OTWO") == 13, "the other endpoint goes on")
        until(lambda: of_order(b, floor, "ONE", 116), "the plant goes on at its new endpoint")
        stopped(delivery)
        delivery = started("delivery", ["delivery"], None, port)  # what is open at the old one is known to the next owner, too
        os.kill(a.pid, signal.SIGCONT)
        until(lambda: received(a, "OONE") + received(b, "OONE") == floor.counted["ONE"] - 100, "every piece once, in one of both")
        assert received(a, "OONE") >= 15, "what was issued for the old endpoint stays there"
        assert (received(a, "OTWO"), received(b, "OTWO")) == (0, 13)
        assert sum(metric(port, "lineledger_erp_foreign", plant=plant) for plant in plants) == 0

        # An endpoint that the document does not have.
        stopped(intakes["TWO"])
        intakes["TWO"] = started("intake-two", ["intake"], strange, second)
        until(lambda: asked(second, "/ready"), "intake with an unknown endpoint")
        parked = ("parked", "-f", document, "--plant", "TWO")
        until(lambda: waiting(floor, parked, environ), "postings that wait for an endpoint")
        shown = lineledger(*parked, environ=environ)
        assert "gamma" in shown.stdout, shown.said
        assert "ENDPOINT_UNKNOWN" in lineledger("status", "-f", document, environ=environ).stdout
        assert "installation.yaml" in lineledger("explain-code", "ENDPOINT_UNKNOWN").stdout
        assert received(c, "OTWO") == 0
        for process in (delivery, between):
            stopped(process)
        between = started("middle", ["equipment", "lots", "orders"], None, middle, wider)
        delivery = started("delivery", ["delivery"], None, port, wider)
        total = floor.counted["TWO"] - 100
        until(lambda: received(b, "OTWO") + received(c, "OTWO") == total, "what waited goes out")
        assert received(c, "OTWO") > 0
        arguments = [(Path("/proc") / str(each.pid) / "cmdline").read_bytes() for each in (*intakes.values(), delivery)]
        told = [asked(each, "/metrics").encode() for each in (first, second, middle, port)]
        secrets = [a.token, b.token, c.token]
    written = [path.read_bytes() for path in tmp_path.glob("*.log")]
    kept = list(everything_on(kafka_bootstrap, topic_prefix))
    assert len(written) == 4
    assert len(kept) > 50
    assert find_leaks([*arguments, *told, *written, b"\n".join(kept)], secrets) == []
    lines = [json.loads(line) for log in written for line in log.splitlines()]
    assert {tuple(line) for line in lines} == {KEYS}
    assert not [line for line in lines if "HTTP" in line["event"]], "a call to the ERP is no line of the log"


def of_order(erp: SimulatorProcess, floor: Floor, plant: str, value: int) -> bool:
    """Counts on until the ERP has received something: when the log moves the plant is the log's matter."""
    if received(erp, f"O{plant}"):
        return True
    floor.count(plant, max(value, floor.counted[plant] + 1))
    time.sleep(1)
    return False


def waiting(floor: Floor, parked: tuple[str | Path, ...], environ: dict[str, str]) -> bool:
    if "ENDPOINT_UNKNOWN" in lineledger(*parked, environ=environ).stdout:
        return True
    floor.count("TWO", floor.counted["TWO"] + 1)
    return False
