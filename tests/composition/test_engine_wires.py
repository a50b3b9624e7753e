"""What holds a partition together, on what the command line composes: who fences whom, who may connect how, what it reads."""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import confluent_kafka
import fastavro
import faust
import pytest
from faust.types import TP

from app import topology, worker
from app.configuration import load
from app.engine import partition as engine_partition
from app.engine.partition import OwnedPartition
from app.engine.stage import StageApp
from app.fatal import Exit
from app.kafka import log_epoch, registry
from app.kafka.connection import Connection
from app.settings import Settings
from app.topology import STAGES, PlantProcess
from schemas.records import Tick
from tests.composition.wires import CONFIG

pytestmark = [pytest.mark.kafka, pytest.mark.registry]
CLIENTS = (confluent_kafka.Producer, confluent_kafka.Consumer, confluent_kafka.admin.AdminClient)


class Died(BaseException):
    """Instead of the end of the test's own process."""


def composed(connection: Connection, folder: Path, *stages: str, instance: str = "") -> list[Any]:
    settings = Settings(connection=connection, datadir=str(folder), instance=instance)
    return asyncio.run(PlantProcess(settings, load(CONFIG)).apps(stages or STAGES))


def apps(services: list[Any]) -> list[StageApp]:
    return [service for service in services if isinstance(service, StageApp)]


def partitions(app: StageApp) -> list[OwnedPartition]:
    return [app.owned_partition(TP(inbox, number)) for inbox in app.inboxes for number in range(app.settings.partitions)]


def test_a_transactional_id_is_its_partitions_whoever_owns_it(connection: Connection, environ: None, tmp_path: Path) -> None:
    """Two processes that each take a partition for theirs must have one id: only then the later one fences the earlier one."""
    first = apps(composed(connection, tmp_path / "a", "equipment", "orders", instance="pod-1"))
    second = apps(composed(connection, tmp_path / "b", "equipment", "orders", instance="pod-2"))
    mine, theirs = ([part.transactional_id for app in found for part in partitions(app)] for found in (first, second))
    assert mine == theirs
    assert len(set(mine)) == len(mine) == sum(app.settings.partitions for app in first)


def test_a_successor_fences_the_owner_before_it(
    connection: Connection, environ: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(code: Exit, why: str) -> None:
        raise Died(code, why)

    monkeypatch.setattr(engine_partition, "die", die)

    def opened(name: str) -> OwnedPartition:
        (app,) = apps(composed(connection, tmp_path / name, "orders", instance=name))
        part = partitions(app)[0]
        part.open()
        part.ready = True
        return part

    before, after = opened("before"), opened("after")
    before.rows.put("zombie", Tick("WIRES", 1, "intake"))
    with pytest.raises(Died) as died:
        asyncio.run(before.checkpoint())
    assert died.value.args[0] is Exit.FENCED, died.value
    after.rows.put("owner", Tick("WIRES", 2, "intake"))
    asyncio.run(after.checkpoint())
    third = opened("third")
    assert (third.rows.get("zombie"), third.rows.get("owner")) == (None, Tick("WIRES", 2, "intake"))
    for part in (before, after, third):
        part._close()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[dict[str, Any]]]:
    """Settings of each client of librdkafka that is made from here on, by the module that makes it."""
    found: dict[str, list[dict[str, Any]]] = {}

    def noting(module: str, client: Any) -> Any:
        def make(settings: dict[str, Any], *more: Any, **others: Any) -> Any:
            found.setdefault(module, []).append(settings)
            return client(settings, *more, **others)

        return make

    for name, module in [(name, module) for name, module in sys.modules.items() if name.startswith("app.")]:
        for attribute, value in list(vars(module).items()):
            if any(value is client for client in CLIENTS):
                monkeypatch.setattr(module, attribute, noting(name, value))
    return found


def test_every_client_is_made_from_the_description_of_the_connection(
    connection: Connection, environ: None, tmp_path: Path, made: dict[str, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that gets only the address is refused by a secured broker. (The setting here is one that an open broker takes.)"""
    secured = replace(connection, broker=replace(connection.broker, security={"sasl.username": "of-this-test"}))
    known = faust.SASLCredentials(username="of-this-test", password="p")
    monkeypatch.setattr(topology, "credentials_of", lambda broker: known if broker is secured.broker else None)
    found = apps(composed(secured, tmp_path))
    part = partitions(next(app for app in found if app.stage.name == "orders"))[0]
    part.open()
    part._close()
    assert {"app.erp.outcomes", "app.engine.partition", "app.kafka.broker", "app.kafka.configurations"} <= made.keys()
    without = {module for module, all_of in made.items() for one in all_of if one.get("sasl.username") != "of-this-test"}
    assert not without
    assert all(app.conf.broker_credentials is known for app in found), "Faust's own client"


def test_what_an_older_program_wrote_is_read_by_its_schema(plant: PlantProcess, connection: Connection) -> None:
    ours = json.loads(registry.registry_schema("Tick").schema_str)
    older = {**ours, "fields": [field for field in ours["fields"] if "default" not in field]}
    subject = registry.subject_of(f"{connection.prefix}orders.inbox", "Tick")
    client = registry.registry_client(connection.registry.url)
    schema_id = client.register_schema(subject, registry.Schema(json.dumps(older), "AVRO"))
    body = BytesIO()
    plain = json.loads(json.dumps(older).replace('"logicalType"', '"_"'))
    fastavro.schemaless_writer(body, fastavro.parse_schema(plain), {"plant": "P", "at": 7, "sender": "s"})
    asyncio.run(plant.prepare())
    assert plant.codec.decode(b"\0" + schema_id.to_bytes(4, "big") + body.getvalue()) == Tick("P", 7, "s")


def test_the_log_epoch_reaches_every_stage(plant: PlantProcess, connection: Connection, environ: None) -> None:
    asyncio.run(plant.prepare())
    raised = log_epoch.raise_epoch(connection.broker, plant.codec, connection.prefix, 1, "Ana", "a test")
    assert raised.epoch > log_epoch.FIRST
    found = apps(asyncio.run(plant.apps(STAGES)))
    assert {app.settings.log_epoch for app in found} == {raised.epoch}
    assert {part.spec.log_epoch for app in found for part in partitions(app)} == {raised.epoch}


@pytest.fixture
def signals_as_before() -> Iterator[None]:
    import signal

    known = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    yield
    for each, handler in known.items():
        signal.signal(each, handler)


def test_a_loop_that_hangs_is_told(plant: PlantProcess, signals_as_before: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `/live` asks is the pulse of the loop that the stages run on."""
    served: list[Any] = []

    def serve(host: str, port: int, registry: Any, unready: Any, hangs_for: Any) -> None:
        served.append(hangs_for)
        raise Died

    monkeypatch.setattr(worker, "serve", serve)
    with_port = PlantProcess(replace(plant.settings, metrics_port=1), plant.wanted)
    with pytest.raises(Died):
        asyncio.run(worker._run(["intake"], with_port, "127.0.0.1"))
    (hangs_for,) = served
    assert hangs_for() == 0
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 1000)
    assert hangs_for() > 900
