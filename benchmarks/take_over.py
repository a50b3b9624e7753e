"""`python -m benchmarks.take_over [--rows N]`: until a worker of orders is ready, cold and warm, on a real Kafka.

The rows are what a year leaves: most orders only wait to be forgotten, one in twenty is open. Measured from the start of the
process to /ready.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from confluent_kafka import Producer

from schemas.catalog import catalog
from schemas.codec import Codec
from schemas.records import AccountRow, IssuedPosting, OrderRow, PlantRow, SourceTotal
from schemas.topics import ORDERS_INBOX
from streams.orders.rest import Marked, mark_key
from tables.row_kinds import ACCOUNT_ROWS, ORDER_ROWS
from tests.platform import available
from tests.platform.process import free_ports

ROWS, ACCOUNTS_PER_ORDER, OPEN_EVERY = 1_000_000, 6, 20
PLANT, PREFIX, FORGET_AT = "P", "bench.", 1_800_000_000_000_000
PATIENCE_S = 600.0


def rows(codec: Codec, count: int) -> Iterator[tuple[int, str, bytes]]:
    """(partition, key, value) of about `count` rows."""
    partitions = catalog().partitions(ORDERS_INBOX)
    source = SourceTotal("gross", "counters", 100, 1, "PC", 1, 1, 1, equipment="M1", run="R")
    issued = IssuedPosting("0123456789ABCDEF", 1, 100, 100, 1, "yield at shift_end", "v", 1, status="accepted", erp_document="D1")

    def account(order: str, due_at: int | None) -> AccountRow:
        row = AccountRow(PLANT, order, "10", "4711", "L1", "yield", "", "", "2026-11-20", 1, unit="PC", due_at=due_at)
        row.sources, row.issued, row.posted, row.target, row.sequence = {"M1|R|gross": source}, [issued], 100, 100, 1
        return row

    resting = codec.encode(OrderRow(PLANT, "O", known=True, status="closed", forget_at=FORGET_AT))
    settled, mark = codec.encode(account("O", None)), codec.encode(PlantRow(PLANT, FORGET_AT))
    for number in range(count // (ACCOUNTS_PER_ORDER + 2)):
        order, partition = f"O{number:07d}", number % partitions
        begun = number % OPEN_EVERY == 0
        if begun:
            yield partition, ORDER_ROWS.key(PLANT, order), codec.encode(OrderRow(PLANT, order, known=True, status="released"))
        else:
            yield partition, ORDER_ROWS.key(PLANT, order), resting
            materials = [f"M{part}" for part in range(ACCOUNTS_PER_ORDER)]
            yield partition, mark_key(Marked(PLANT, ORDER_ROWS.key(PLANT, order), FORGET_AT, materials)), mark
        for part in range(ACCOUNTS_PER_ORDER):
            key = ACCOUNT_ROWS.key(PLANT, order, "10", f"M{part}", "L1", "yield", "", "", "2026-11-20")
            yield partition, key, codec.encode(account(order, FORGET_AT)) if begun else settled


def fill(bootstrap: str, count: int) -> int:
    codec, written = Codec(), 0
    producer = Producer(
        {"bootstrap.servers": bootstrap, "linger.ms": 20, "compression.type": "lz4", "queue.buffering.max.messages": 200_000}
    )
    for partition, key, value in rows(codec, count):
        while True:
            try:
                producer.produce(f"{PREFIX}orders.changelog", value, key, partition=partition)
                break
            except BufferError:
                producer.poll(0.05)
        written += 1
    assert producer.flush(60) == 0
    return written


def until_ready(bootstrap: str, folder: Path) -> float:
    """Seconds to /ready. The worker is stopped gracefully afterwards."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "app.cli.main", "worker", "orders", "--recorded", "--bootstrap", bootstrap]
    command += ["--prefix", PREFIX, "--datadir", str(folder / "data"), "--metrics-port", str(port), "--instance", "0"]
    started = time.monotonic()
    with (folder / "worker.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        while not answers(port):
            assert process.poll() is None, (folder / "worker.log").read_text()[-2000:]
            assert time.monotonic() - started < PATIENCE_S
            time.sleep(0.05)
        return time.monotonic() - started
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def answers(port: int) -> bool:
    """Is it ready, with every partition of the stage in its hands?"""
    owned = f'lineledger_partitions{{stage="orders",state="owned"}} {catalog().partitions(ORDERS_INBOX)}.0'
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=30):
            pass
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as shown:
            return owned in shown.read().decode()
    except (urllib.error.URLError, OSError):
        return False


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rows", type=int, default=ROWS)
    told = options.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lineledger-take-over-")))
        bootstrap = stack.enter_context(available.kafka(folder))
        apply = ["topics", "apply", "--bootstrap", bootstrap, "--prefix", PREFIX, "--raw", "raw.bench", "--replication", "1"]
        subprocess.run([sys.executable, "-m", "app.cli.main", *apply], check=True, stdout=subprocess.DEVNULL)
        written = fill(bootstrap, told.rows)
        cold = until_ready(bootstrap, folder)
        warm = until_ready(bootstrap, folder)
    print(f"{written:,} rows: ready after {cold:.1f} s cold, {warm:.1f} s warm")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
