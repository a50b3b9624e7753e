"""Two plants in one lasting installation, under load: every posting adds up from its raw records, and a lie does not.

Readings flow across each cut, on several partitions with clocks of their own: what a posting knew is what the log says.
"""

import dataclasses
import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from app.cli.connecting import connection_of
from app.erp.simulator.process import SimulatorProcess
from app.kafka.broker import Broker
from app.kafka.configurations import Configurations
from app.kafka.metadata import partitions_of
from app.kafka.partitioner import partition_of
from app.ledger.books import live
from app.ledger.books.snapshot import Snapshot
from app.ledger.books.topic_sources import TopicSources
from app.ledger.questions.trace import DIFFERS, EXPIRED, OK, check
from app.topology import InstalledTopology
from schemas.records import AccountRow, IssuedPosting
from tables.orders.account import account_key, row_key
from tables.row_kinds import ACCOUNT_ROWS
from tests.e2e.command import lineledger
from tests.e2e.test_live import PATIENCE_S, STOP_S, ready, until, worker
from tests.platform.process import free_ports

PLANTS = {"NORTH": 3, "SOUTH": 2}
"""Plant -> machines; each has an order of its own."""
SHORT = "LINELEDGER_TEST_SHORT" in os.environ
RATE, CUTS, EVERY_S = 500, 3 if SHORT else 10, 2
BY_THEMSELVES = 2 if SHORT else 40
"""Postings of each plant whose own records are looked for, as `lineledger trace` does: seconds for each on a busy machine."""
PLANT = """
plant: {id: %(id)s, zone: Europe/Prague}
sources:
  presses:
    read: {topic: %(raw)s, format: json, event_id: id, sequence: seq, occurred_at: {path: ts, date: epoch_ms}, equipment: m}
    events:
      - {when: {type: shots}, emit: CounterReading, counter: =shots, value: n}
      - {when: {type: scrap}, emit: ScrapDeclared, quantity: {path: qty, decimals: 0, unit: =PC}, reason: =burr}
      - {when: {type: state}, emit: EquipmentStateChanged, state: state}
      - {when: {type: start}, emit: RunStarted, run: run, order: po, operation: =10, outputs: [{material: =4711, lot: =L1}]}
      - when: {type: order}
        emit: OrderReleased
        order: po
        items: [{item: =1, material: =4711, quantity: {path: qty, decimals: 0, unit: =PC}, receipt_location: =FG}]
        operations: [{operation: =10, receipt: =true}]
equipment:
  P1: {counters: {shots: {counts: gross}}}
  P2: {counters: {shots: {counts: gross}}}
  P3: {counters: {shots: {counts: gross}}}
"""
RULES = f"""
post:
  - {{kind: yield, when: every {EVERY_S} s}}
  - {{kind: scrap, when: every {EVERY_S} s}}
  - {{kind: machine_time, when: every {2 * EVERY_S} s}}
"""
ERP = 'erp: {adapter: sim, url: "${LIVE_ERP_URL}", secret: live-erp-token}\n'


def raw_topic(plant: str) -> str:
    return f"raw.{plant.lower()}.presses"


def configured(folder: Path, plant: str) -> Path:
    home = folder / plant.lower()
    home.mkdir()
    (home / "plant.yaml").write_text(PLANT % {"id": plant, "raw": raw_topic(plant)})
    (home / "rules.yaml").write_text(RULES)
    (home / "erp.yaml").write_text(ERP)
    return home


class Floor:
    """Machines of all plants that count, now and then scrap and stop, until somebody says that it is enough."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self._producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 5})
        self._prefix, self._stop = prefix, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.sent = 0

    def send(self, plant: str, machine: int, **record: object) -> None:
        content = {"ts": time.time_ns() // 1_000_000, "m": f"P{machine}", **record}
        # The second and third machine share a partition.
        self._producer.produce(f"{self._prefix}{raw_topic(plant)}", json.dumps(content), partition=min(machine, 2))
        self._producer.poll(0)
        self.sent += 1

    def _run(self) -> None:
        chance = random.Random(7)
        counts = {(plant, machine + 1): 0 for plant, machines in PLANTS.items() for machine in range(machines)}
        for plant, machine in counts:
            self.send(plant, machine, type="order", po=f"{plant}-{machine}", qty=10_000_000, id=f"o{machine}")
            self.send(plant, machine, type="state", state="running", id=f"b{machine}")
            self.send(plant, machine, type="start", po=f"{plant}-{machine}", run=f"R{machine}", id=f"r{machine}")
        began, seq, all_machines = time.monotonic(), 0, list(counts)
        while not self._stop.is_set():
            while seq < (time.monotonic() - began) * RATE:
                plant, machine = all_machines[seq % len(all_machines)]
                counts[plant, machine] += chance.choice((0, 1, 1, 2))
                self.send(plant, machine, type="shots", n=counts[plant, machine], seq=seq // len(all_machines), id=f"s{seq}")
                if chance.random() < 0.004:
                    self.send(plant, machine, type="scrap", qty=1, id=f"x{seq}")
                if chance.random() < 0.004:
                    self.send(plant, machine, type="state", state=chance.choice(("running", "idle")), id=f"t{seq}")
                seq += 1
            self._stop.wait(0.01)

    @contextmanager
    def working(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._thread.join()
            assert self._producer.flush(20) == 0


class Asked:
    """The ledger of one plant, and its raw topics."""

    def __init__(self, broker: Broker, registry: str, prefix: str, plant: str) -> None:
        codec = connection_of(broker.bootstrap, prefix, registry, None).codec()
        self.rows: Snapshot = live.read(broker, codec, prefix, plant)
        admin = broker.admin()
        installation = InstalledTopology(
            Configurations(broker, codec, prefix), False, lambda topic: len(partitions_of(admin, prefix + topic))
        )
        waits_for = partial(installation.upstreams, "equipment")
        self.sources = TopicSources(broker, codec, prefix, self.rows.configuration, b"", waits_for)

    def postings(self, kind: str = "") -> list[tuple[AccountRow, IssuedPosting]]:
        rows = [row for row in self.rows.of(ACCOUNT_ROWS) if kind in ("", row.kind)]
        return [(row, posting) for row in rows for posting in row.issued]


def cuts(asked: Asked) -> int:
    return len({posting.cut for _, posting in asked.postings("yield")})


@pytest.mark.kafka
@pytest.mark.registry
@pytest.mark.slow
def test_every_posting_adds_up_under_load_and_a_lie_does_not(
    kafka_bootstrap: str, registry_url: str, topic_prefix: str, tmp_path: Path
) -> None:
    at, broker = ["--bootstrap", kafka_bootstrap, "--prefix", topic_prefix], Broker(kafka_bootstrap)
    raws = [argument for plant in PLANTS for argument in ("--raw", raw_topic(plant))]
    applied = lineledger("topics", "apply", *at, *raws, "--replication", "1")
    assert applied.code == 0, applied.said
    registered = lineledger("schemas", "apply", "--registry", registry_url, "--prefix", topic_prefix)
    assert registered.code == 0, registered.said
    where = [*at, "--registry", registry_url]
    configurations = {plant: configured(tmp_path, plant) for plant in PLANTS}

    def asked(plant: str) -> Asked:
        return Asked(broker, registry_url, topic_prefix, plant)

    with SimulatorProcess(tmp_path / "erp") as erp, ExitStack() as running:
        environ = {"LIVE_ERP_URL": erp.url, "LIVE_ERP_TOKEN": erp.token}
        ports = free_ports(len(PLANTS) + 2)
        stages = [(["intake"], config) for config in configurations.values()]
        stages += [(["equipment", "lots", "orders"], None), (["delivery"], configurations["NORTH"])]
        workers = [
            running.enter_context(worker(names, port, where, environ, tmp_path, config=config, instance=str(port)))
            for (names, config), port in zip(stages, ports, strict=True)
        ]
        until(lambda: all(ready(port) for port in ports), "all workers to be ready")
        floor = Floor(kafka_bootstrap, topic_prefix)
        with floor.working():
            deadline = time.monotonic() + PATIENCE_S
            while min(cuts(asked(plant)) for plant in PLANTS) < CUTS:
                assert time.monotonic() < deadline, f"fewer than {CUTS} cuts in {PATIENCE_S} s"
            for plant in PLANTS:  # while the records flow
                _, newest = max(asked(plant).postings("yield"), key=lambda entry: entry[1].cut)
                traced = lineledger("trace", newest.posting_id, *where, "--plant", plant, "--json")
                assert (traced.code, traced.json["verdict"]) == (0, "OK"), traced.said
            while_it_works(where)
        for plant in PLANTS:
            exact = lineledger("reconcile", "--sources", *where, "--plant", plant, "--json", environ=environ)
            assert exact.code == 0, exact.said
            assert exact.json["differences"] == []
            assert exact.json["re_added"] >= CUTS * PLANTS[plant]
        for process in workers:
            process.send_signal(signal.SIGTERM)
        assert [process.wait(STOP_S) for process in workers] == [0] * len(workers), "a graceful stop"

    when_nobody_works(where)
    every_posting(asked("SOUTH"), PLANTS["SOUTH"])
    north = asked("NORTH")
    every_posting(north, PLANTS["NORTH"])
    a_lie_is_found(broker, registry_url, topic_prefix, where, north)
    past_retention_nothing_is_ok(broker, topic_prefix, where, north)


def while_it_works(where: list[str]) -> None:
    found = lineledger("status", *where, "--json")
    assert (found.code, found.json["problems"]) == (0, []), found.said
    assert [plant["plant"] for plant in found.json["plants"]] == sorted(PLANTS)
    for plant in found.json["plants"]:
        assert plant["clock"] > 0 and plant["behind_s"] < 60, found.said
        assert plant["held_back_by"].startswith(("intake/raw.", "equipment/")), found.said
        assert (len(plant["configuration"]), plant["elsewhere"]) == (64, {}), found.said
        assert (plant["circuit"], plant["parked"], plant["dead_letters"]) == ("closed", {}, {}), found.said
    stages = {stage["stage"]: stage for stage in found.json["stages"]}
    assert stages.keys() == {*(f"intake.{raw_topic(plant)}" for plant in PLANTS), *live.STAGES}
    assert all(stage["workers"] and not stage["unowned"] for stage in stages.values()), found.said


def when_nobody_works(where: list[str]) -> None:
    """No worker has to answer. A broker or registry that does not is named, soon."""
    until(lambda: len(lineledger("status", *where, "--json").json["problems"]) == len(PLANTS) + len(live.STAGES), "groups to end")
    found = lineledger("status", *where)
    assert (found.code, "PROBLEM  equipment has no worker" in found.stdout) == (1, True), found.said
    (port,) = free_ports(1)
    for option, code in (("--bootstrap", "BROKER_UNAVAILABLE"), ("--registry", "REGISTRY_UNAVAILABLE")):
        address = f"127.0.0.1:{port}" if option == "--bootstrap" else f"http://127.0.0.1:{port}"
        wrong = [address if before == option else text for before, text in zip(["", *where], where, strict=False)]
        began = time.monotonic()
        nowhere = lineledger("status", *wrong, "--timeout", "10")
        assert (nowhere.code, code in nowhere.stderr) == (2, True), nowhere.said
        assert time.monotonic() - began < 60


def every_posting(asked: Asked, machines: int) -> None:
    """Each by itself, from the records that it names and what they are counted from."""
    postings = asked.postings()
    assert {row.kind for row, _ in postings} == {"yield", "scrap", "machine_time"}
    assert len(postings) >= CUTS * machines
    began = time.monotonic()
    # `reconcile --sources` has added up every one of them; here each is looked for by itself, spread over all accounts and cuts.
    for row, posting in postings[:: max(1, len(postings) // BY_THEMSELVES)]:
        found = check(asked.rows, row, posting, asked.sources)
        assert found.verdict == OK, (row_key(row), posting.posting_id, found.detail)
    assert time.monotonic() - began < 4 * BY_THEMSELVES


def a_lie_is_found(broker: Broker, registry: str, prefix: str, where: list[str], asked: Asked) -> None:
    """The account says one piece more, everywhere: posting, sums and sources agree with each other."""
    row, last = max(asked.postings("yield"), key=lambda entry: entry[1].cut)
    lie = dataclasses.replace(last, amount=last.amount + 1, cumulative=last.cumulative + 1)
    issued = [*[one for one in row.issued if one is not last], lie]
    told = dataclasses.replace(row, issued=issued, posted=row.posted + 1, target=row.target + 1)
    assert check(asked.rows, told, lie, asked.sources).verdict == DIFFERS
    producer = Producer(broker.client())
    topic = f"{prefix}orders.changelog"
    partitions = len(AdminClient(broker.client()).list_topics(topic, timeout=10).topics[topic].partitions)
    partition = partition_of(f"{row.plant}|{row.order}".encode(), partitions)
    producer.produce(topic, connection_of(broker.bootstrap, prefix, registry, None).codec().encode(told), row_key(row), partition)
    assert producer.flush(20) == 0
    traced = lineledger("trace", last.posting_id, *where, "--plant", row.plant, "--json")
    assert (traced.code, traced.json["verdict"]) == (1, DIFFERS), traced.said


def past_retention_nothing_is_ok(broker: Broker, prefix: str, where: list[str], asked: Asked) -> None:
    row, first = min(asked.postings("yield"), key=lambda entry: entry[1].cut)
    (named,) = first.ranges
    topic, _, partition = named.raw_source.rpartition("/")
    gone = TopicPartition(prefix + topic, int(partition), named.first + 1)
    admin = AdminClient(broker.client())
    for future in admin.delete_records([gone]).values():
        future.result(20)
    traced = lineledger("trace", first.posting_id, *where, "--plant", row.plant, "--json")
    assert (traced.code, traced.json["verdict"]) == (1, EXPIRED), traced.said
    assert account_key(row) == traced.json["account"]
