"""An upgrade with changed schemas: what the previous version left in inboxes and changelogs, this version goes on with."""

from pathlib import Path

import pytest

from app.erp.simulator.process import SimulatorProcess
from app.kafka.broker import Broker
from app.kafka.connection import Connection
from app.kafka.registry import Registry
from app.topology import STAGES
from schemas.records import CounterFrame, Posting, Tick, Total
from tests.e2e.live_plant import PRODUCT, RAW, Installation, order, shots, until

pytestmark = [pytest.mark.kafka, pytest.mark.registry]
PREVIOUS = "tests.e2e.previous_version"


def test_records_and_rows_of_the_previous_version_become_receipts_of_this_one(
    kafka_bootstrap: str, registry_url: str, topic_prefix: str, tmp_path: Path
) -> None:
    """Every inbox has unfolded records of the previous version, every changelog its rows, when this version takes over."""
    broker = ["--bootstrap", kafka_bootstrap, "--prefix", topic_prefix]
    here = Connection(Broker(kafka_bootstrap), topic_prefix, Registry(registry_url))
    with SimulatorProcess(tmp_path / "erp") as erp:
        environ = {"LIVE_ERP_URL": erp.url, "LIVE_ERP_TOKEN": erp.token}
        plant = Installation([*broker, "--registry", registry_url], here, tmp_path, environ, module=PREVIOUS)
        applied = plant.command("topics", "apply", *broker, "--raw", RAW, "--replication", "1")
        assert applied.code == 0, applied.said
        _register(plant, registry_url, topic_prefix)
        plant.admin = here
        with plant.workers(*STAGES):
            plant.send(*order(), *shots((0, 100), (1, 105), (2, 112)))
            until(lambda: plant.received("O1") == 12, "the receipt of 12 pieces")
        plant.module = PRODUCT  # the test reads with today's schemas, the workers below are of the previous version
        _register(plant, registry_url, topic_prefix)
        plant.module = PREVIOUS
        with plant.workers("intake", "equipment", "orders"):
            plant.send(*shots((3, 115)))
            until(lambda: len(_of(plant, "delivery.inbox", Posting)) == 2, "a posting that delivery has not seen")
        totals = len(_of(plant, "orders.inbox", Total))
        with plant.workers("intake", "equipment"):
            plant.send(*shots((4, 117)))
            until(lambda: len(_of(plant, "orders.inbox", Total)) > totals, "a total that orders has not seen")
        frames = len(_of(plant, "equipment.inbox", CounterFrame))
        with plant.workers("intake"):
            plant.send(*shots((5, 120)))
            until(lambda: len(_of(plant, "equipment.inbox", CounterFrame)) > frames, "a reading that equipment has not seen")
        assert _of(plant, "lots.inbox", Tick), "ticks that lots has not seen"

        plant.module = PRODUCT
        with plant.workers(*STAGES):
            until(lambda: plant.received("O1") == 20, "what the previous version had left")
            _questions(plant)


def _register(plant: Installation, url: str, prefix: str) -> None:
    registered = plant.command("schemas", "apply", "--registry", url, "--prefix", prefix)
    assert registered.code == 0, registered.said


def _of(plant: Installation, topic: str, kind: type) -> list[object]:
    return [record for record in plant.content(topic) if isinstance(record, kind)]


def _questions(plant: Installation) -> None:
    """Every question to a live installation reads rows and records of both versions."""
    where = plant.where
    found = plant.command("trace", "O1", *where, "--json")
    assert found.code == 0, found.said
    postings = [name for account in found.json["accounts"] for name in account["postings"]]
    assert len(postings) > 2
    for name in (*postings, "P1"):
        traced = plant.command("trace", name, *where, "--json")
        assert traced.code == 0, traced.said
    for question in ("parked", "exceptions"):
        answer = plant.command(question, *where, "--json")
        assert (answer.code, answer.json) == (0, []), answer.said
    assert plant.command("variance", *where, "--json").code == 0
    assert plant.command("topics", "epoch", "show", *where, "--json").json == {"log_epoch": 1}
    exact = plant.command("reconcile", *where, "--json")
    assert (exact.code, exact.json["differences"]) == (0, []), exact.said
    asked = ["--who", "A. Person", "--why", "a test"]
    nothing = plant.command("decide", "O1", "post", *asked, *where, "--json")
    assert (nothing.code, "NOTHING_PARKED" in nothing.stdout) == (1, True), nothing.said
    nothing = plant.command("exceptions", "replay", "--code", "BAD_JSON", *where, "--json")
    assert nothing.code == 1, nothing.said
