"""A lasting installation: five stages as workers on a real Kafka with a real registry, telemetry in, a receipt in the ERP out.

Nobody hurries the clock here: broker and wall clock make the ticks.
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
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from app.configuration import load
from app.erp.adapters import adapter_for
from app.erp.simulator.process import SimulatorProcess
from app.topology import STAGES
from tables.quantity import fraction
from tests.e2e.command import PROJECT, lineledger
from tests.platform.process import free_ports

CONFIG = Path(__file__).parent / "live"
RAW = "raw.live.presses"
PATIENCE_S, STOP_S = 90.0, 30.0


def until(found: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not found():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S} s for {what}"
        time.sleep(0.2)


@contextmanager
def worker(
    stages: Sequence[str],
    port: int,
    where: list[str],
    environ: dict[str, str],
    folder: Path,
    config: Path | None = CONFIG,
    instance: str = "0",
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of `lineledger worker`. `config`: of intake and delivery; `instance`: one name per process of a stage."""
    configured = ["--config", str(config)] if config is not None and {"intake", "delivery"} & {*stages} else []
    command = [sys.executable, "-m", "app.cli.main", "worker", *stages, *configured, *where]
    command += ["--datadir", str(folder / "data"), "--instance", f"{stages[0]}-{instance}", "--metrics-port", str(port)]
    with (folder / f"{stages[0]}-{instance}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=PROJECT, env={**os.environ, **environ}, stdout=log, stderr=log)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def send(bootstrap: str, prefix: str, *records: dict[str, object]) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
    for record in records:
        producer.produce(f"{prefix}{RAW}", json.dumps({"ts": time.time_ns() // 1_000_000, "m": "P1", **record}), partition=0)
    assert producer.flush(20) == 0


def received(environ: dict[str, str], order: str) -> Fraction:
    """Pieces that the ERP has received for the order."""

    async def asked() -> Fraction:
        adapter = adapter_for(load(CONFIG).erp, environ)
        assert adapter is not None
        try:
            return sum((fraction(each.amount, each.scale) for each in await adapter.movements([order])), Fraction(0))
        finally:
            await adapter.close()

    return asyncio.run(asked())


def questions(where: list[str], environ: dict[str, str]) -> None:
    """The ledger answers while it works: from changelogs, raw topics and the ERP."""
    order = lineledger("trace", "O1", *where, "--json")
    assert order.code == 0, order.said
    ids = [name for account in order.json["accounts"] for name in account["postings"]]
    assert len(ids) == 2
    for name in ids:
        posting = lineledger("trace", name, *where, "--json")
        assert (posting.code, posting.json["verdict"]) == (0, "OK"), posting.said
    assert lineledger("trace", "P1", *where, "--json").json["orders"] == ["O1"]
    assert lineledger("parked", *where, "--json").json == []
    assert lineledger("exceptions", *where, "--json").json == []
    exact = lineledger("reconcile", *where, "--json", environ=environ)
    assert (exact.code, exact.json["differences"]) == (0, []), exact.said
    assert exact.json["erp"]["agreeing"] == 1, "the ERP was asked"
    nowhere = lineledger("parked", *where[:2], "--prefix", "no.such.", "--json")
    assert (nowhere.code, "NO_INSTALLATION" in nowhere.stderr) == (2, True), nowhere.said


@pytest.mark.kafka
@pytest.mark.registry
def test_counts_become_a_receipt_while_the_plant_runs(
    kafka_bootstrap: str, registry_url: str, topic_prefix: str, tmp_path: Path
) -> None:
    broker = ["--bootstrap", kafka_bootstrap, "--prefix", topic_prefix]
    applied = lineledger("topics", "apply", *broker, "--raw", RAW, "--replication", "1")
    assert applied.code == 0, applied.said
    registered = lineledger("schemas", "apply", "--registry", registry_url, "--prefix", topic_prefix)
    assert registered.code == 0, registered.said
    where = [*broker, "--registry", registry_url]
    lost = lineledger("worker", "delivery", "--config", CONFIG, *where, "--datadir", tmp_path / "lost")
    assert (lost.code, "ENVIRONMENT_MISSING" in lost.stderr, "Traceback" in lost.stderr) == (2, True, False), lost.said
    with SimulatorProcess(tmp_path / "erp") as erp, ExitStack() as running:
        environ = {"LIVE_ERP_URL": erp.url, "LIVE_ERP_TOKEN": erp.token}
        ports = dict(zip(STAGES, free_ports(len(STAGES)), strict=True))
        workers = [running.enter_context(worker([stage], ports[stage], where, environ, tmp_path)) for stage in STAGES]
        until(lambda: all(ready(port) for port in ports.values()), "five ready stages")

        order, start = {"type": "order", "po": "O1", "qty": 100, "id": "o"}, {"type": "start", "po": "O1", "run": "R1", "id": "r"}
        shots = [{"type": "shots", "n": n, "seq": seq, "id": f"s{seq}"} for seq, n in enumerate((100, 105, 112))]
        send(kafka_bootstrap, topic_prefix, order, start, *shots)
        until(lambda: received(environ, "O1") == 12, "the receipt of 12 pieces")

        send(kafka_bootstrap, topic_prefix, shots[2], {"type": "shots", "n": 115, "seq": 3, "id": "s3"})
        until(lambda: received(environ, "O1") == 15, "3 more, and the repeated reading not again")

        questions(where, environ)
        for process in workers:
            process.send_signal(signal.SIGTERM)
        assert [process.wait(STOP_S) for process in workers] == [0] * len(workers), "a graceful stop"

        recreate(kafka_bootstrap, f"{topic_prefix}equipment.inbox")
        with worker(["equipment"], ports["equipment"], where, environ, tmp_path) as refused:
            assert refused.wait(PATIENCE_S) == 78, "positions of the old inbox mean nothing in the new one"
        raised = lineledger(
            "topics", "epoch", "raise", *where, "--who", "A. Person", "--why", "inbox recreated in a test", "--json"
        )
        assert (raised.code, raised.json) == (0, {"log_epoch": 2}), raised.said
        assert lineledger("topics", "epoch", "show", *where, "--json").json == {"log_epoch": 2}
        workers = [running.enter_context(worker([stage], ports[stage], where, environ, tmp_path)) for stage in STAGES]
        until(lambda: all(ready(port) for port in ports.values()), "five ready stages")
        send(kafka_bootstrap, topic_prefix, {"type": "shots", "n": 120, "seq": 4, "id": "s4"})
        until(lambda: received(environ, "O1") == 20, "5 more, from the new inbox: kept state is replaced, not added")
        exact = lineledger("reconcile", *where, "--json", environ=environ)
        assert (exact.code, exact.json["differences"]) == (0, []), exact.said


def recreate(bootstrap: str, topic: str) -> None:
    """Delete the topic and make it again with the settings it had."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    partitions = len(admin.list_topics(topic, timeout=10).topics[topic].partitions)
    admin.delete_topics([topic])[topic].result(20)
    until(lambda: topic not in admin.list_topics(timeout=10).topics, f"{topic} is gone")
    admin.create_topics([NewTopic(topic, partitions, 1, config={"max.message.bytes": str(2 << 20)})])[topic].result(20)
    until(lambda: topic in admin.list_topics(timeout=10).topics, f"{topic} is there")
