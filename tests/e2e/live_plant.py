"""An installation that lives: workers of the plant of tests/e2e/live as processes of their own, on real servers."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition

from app.configuration import load
from app.erp.adapters import adapter_for
from app.kafka.connection import Connection
from tables.quantity import fraction
from tests.e2e.command import PROJECT, Outcome
from tests.platform.process import free_ports

CONFIG = Path(__file__).parent / "live"
RAW = "raw.live.presses"
PRODUCT = "app.cli.main"
PATIENCE_S, STOP_S = 90.0, 30.0


def until(found: Callable[[], bool], what: str, within: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + within
    while not found():
        assert time.monotonic() < deadline, f"waited {within} s for {what}"
        time.sleep(0.2)


@dataclass(slots=True)
class Installation:
    """`where`: the options that name it. `admin`: its connection for the test itself."""

    where: Sequence[str]
    admin: Connection
    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    config: Path = CONFIG
    module: str = PRODUCT
    """What is run: the product, or its previous version."""
    ports: dict[str, int] = field(default_factory=dict)

    def command(self, *arguments: str | Path) -> Outcome:
        done = subprocess.run(
            [sys.executable, "-m", self.module, *map(str, arguments)],
            cwd=PROJECT,
            env={**os.environ, **self.environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def worker(self, stage: str) -> Iterator[subprocess.Popen[bytes]]:
        """Killed at the end unless it ended before. Its log is `log(stage)`."""
        (self.ports[stage],) = free_ports(1)
        config = ["--config", str(self.config)] if stage in ("intake", "delivery") else []
        command = [sys.executable, "-m", self.module, "worker", stage, *config, *self.where]
        command += ["--datadir", str(self.folder / "data"), "--instance", f"{stage}-0", "--metrics-port", str(self.ports[stage])]
        with (self.folder / f"{stage}.log").open("ab") as log:
            process = subprocess.Popen(command, cwd=PROJECT, env={**os.environ, **self.environ}, stdout=log, stderr=log)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()

    @contextmanager
    def workers(self, *stages: str) -> Iterator[None]:
        """These stages, ready; a graceful stop at the end."""
        from contextlib import ExitStack

        with ExitStack() as running:
            found = [running.enter_context(self.worker(stage)) for stage in stages]
            until(lambda: all(self.reasons(stage) == [] for stage in stages), f"ready: {', '.join(stages)}")
            yield
            for process in found:
                process.send_signal(signal.SIGTERM)
            codes = [process.wait(STOP_S) for process in found]
            assert codes == [0] * len(stages), (codes, [self.log(stage)[-2000:] for stage in stages])

    def log(self, stage: str) -> str:
        return (self.folder / f"{stage}.log").read_text(errors="replace")

    def reasons(self, stage: str) -> list[str] | None:
        """Why a worker is not ready; empty: it is; None: it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[stage]}/ready", timeout=5) as answer:
                return list(json.load(answer)["reasons"])
        except urllib.error.HTTPError as refused:
            return list(json.load(refused)["reasons"])
        except (urllib.error.URLError, OSError):
            return None

    def send(self, *records: Mapping[str, object], raw: str = RAW) -> None:
        producer = Producer(self.admin.broker.client(enable_idempotence=True))
        for record in records:
            stated = {"ts": time.time_ns() // 1_000_000, "m": "P1", **record}
            producer.produce(f"{self.admin.prefix}{raw}", json.dumps(stated), partition=0)
        assert producer.flush(20) == 0

    def received(self, order: str) -> Fraction:
        """Pieces that the ERP has received for the order."""

        async def asked() -> Fraction:
            adapter = adapter_for(load(self.config).erp, self.environ)
            assert adapter is not None
            try:
                return sum((fraction(each.amount, each.scale) for each in await adapter.movements([order])), Fraction(0))
            finally:
                await adapter.close()

        return asyncio.run(asked())

    def content(self, topic: str) -> list[Any]:
        """Every committed record of the project in a topic, in no order of partitions."""
        codec, found = self.admin.codec(), []
        consumer = Consumer(
            self.admin.broker.client(
                group_id=f"{self.admin.prefix}test",
                isolation_level="read_committed",
                enable_partition_eof=True,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
            )
        )
        try:
            partitions = consumer.list_topics(self.admin.prefix + topic, timeout=10).topics[self.admin.prefix + topic].partitions
            consumer.assign([TopicPartition(self.admin.prefix + topic, partition, 0) for partition in partitions])
            still = len(partitions)
            while still:
                message = consumer.poll(10)
                assert message is not None, f"{topic} gives nothing"
                if message.error():
                    assert message.error().code() == KafkaError._PARTITION_EOF, message.error()
                    still -= 1
                elif message.value() is not None:
                    found.append(codec.decode(message.value()))
        finally:
            consumer.close()
        return found


def order(name: str = "O1", quantity: int = 100) -> list[dict[str, object]]:
    """The order, and the beginning of its run on P1."""
    return [
        {"type": "order", "po": name, "qty": quantity, "id": f"o-{name}"},
        {"type": "start", "po": name, "run": f"R-{name}", "id": f"r-{name}"},
    ]


def shots(*counts: tuple[int, int]) -> list[dict[str, object]]:
    """Readings of the counter: (sequence, count)."""
    return [{"type": "shots", "n": count, "seq": sequence, "id": f"s{sequence}"} for sequence, count in counts]
