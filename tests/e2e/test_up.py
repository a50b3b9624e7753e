"""`lineledger up`: two plants on one broker that has nothing yet, in one process, by one command."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from app.erp.simulator.process import SimulatorProcess
from app.kafka.connection import connection
from tests.e2e.command import PROJECT, lineledger
from tests.e2e.live_plant import CONFIG, PATIENCE_S, RAW, STOP_S, Installation, order, shots, until
from tests.platform.process import free_ports


def second_plant(folder: Path) -> Path:
    """The same plant under another name, with the same ERP."""
    folder.mkdir()
    for file in CONFIG.iterdir():
        text = file.read_text(encoding="utf-8").replace("id: LIVE", "id: NEXT").replace("raw.live.", "raw.next.")
        (folder / file.name).write_text(text, encoding="utf-8")
    return folder


@contextmanager
def up(plant: Installation, *folders: Path) -> Iterator[subprocess.Popen[bytes]]:
    (plant.ports["up"],) = free_ports(1)
    configs = [text for folder in folders for text in ("--config", str(folder))]
    command = [sys.executable, "-m", "app.cli.main", "up", *configs, *plant.where, "--metrics-port", str(plant.ports["up"])]
    with (plant.folder / "up.log").open("ab") as log:
        process = subprocess.Popen(
            [*command, "--datadir", str(plant.folder / "data")],
            cwd=PROJECT,
            env={**os.environ, **plant.environ},
            stdout=log,
            stderr=log,
        )
    try:
        until(lambda: process.poll() is not None or plant.reasons("up") == [], "everything is up")
        assert process.poll() is None, plant.log("up")[-3000:]
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_S) == 0
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE_S)


@pytest.mark.kafka
@pytest.mark.registry
def test_two_plants_come_up_and_go_on_where_they_were(
    kafka_bootstrap: str, registry_url: str, topic_prefix: str, tmp_path: Path
) -> None:
    where = ["--bootstrap", kafka_bootstrap, "--prefix", topic_prefix, "--registry", registry_url]
    other = second_plant(tmp_path / "next")
    with SimulatorProcess(tmp_path / "erp") as erp:
        environ = {"LIVE_ERP_URL": erp.url, "LIVE_ERP_TOKEN": erp.token}
        plant = Installation(where, connection(kafka_bootstrap, topic_prefix, registry_url), tmp_path, environ)
        with up(plant, CONFIG, other):
            plant.send(*order("A1"), *shots((1, 10), (2, 14)))
            plant.send(*order("B1"), *shots((1, 10), (2, 17)), raw="raw.next.presses")
            until(lambda: (plant.received("A1"), plant.received("B1")) == (4, 7), "pieces of both plants")
        planned = lineledger("topics", "plan", *where[:4], "--config", CONFIG, "--config", other, "--replication", "1")
        assert planned.code == 0, planned.said
        assert "0 to create" in planned.stdout
        with up(plant, CONFIG, other):
            plant.send(*shots((3, 19)))
            until(lambda: plant.received("A1") == 9, "five more")


@pytest.mark.kafka
@pytest.mark.registry
def test_copies_and_plants_are_those_of_the_document(
    kafka_bootstrap: str, registry_url: str, topic_prefix: str, tmp_path: Path
) -> None:
    """Two copies cannot be made on one broker. Nothing was made before that was found out."""
    document = tmp_path / "installation.yaml"
    content = {
        "prefix": topic_prefix,
        "kafka": {"bootstrap": kafka_bootstrap},
        "registry": {"url": registry_url},
        "topics": {"replication": 2, "min_insync": 1, "partitions": {"orders": 2}},
        "plants": {"LIVE": {"configuration": str(CONFIG)}},
    }
    document.write_text(yaml.safe_dump(content), encoding="utf-8")
    refused = lineledger("up", "-f", document, "--datadir", tmp_path / "data", environ={"LIVE_ERP_TOKEN": "x"})
    assert (refused.code, "--replication" in refused.stderr) == (87, True), refused.said
    with SimulatorProcess(tmp_path / "erp") as erp:
        environ = {"LIVE_ERP_URL": erp.url, "LIVE_ERP_TOKEN": erp.token}
        where = ["-f", str(document), "--replication", "1"]
        plant = Installation(where, connection(kafka_bootstrap, topic_prefix, registry_url), tmp_path, environ)
        with up(plant):
            planned = lineledger("topics", "plan", *where)
            assert planned.code == 0, planned.said


def test_raw_topics_come_from_the_configuration(kafka_bootstrap: str, topic_prefix: str) -> None:
    planned = lineledger("topics", "plan", "--bootstrap", kafka_bootstrap, "--prefix", topic_prefix, "--config", CONFIG)
    assert planned.code == 1, planned.said
    assert f"{topic_prefix}{RAW}" in planned.stdout


def test_too_few_brokers_are_named_with_the_option(kafka_bootstrap: str, topic_prefix: str) -> None:
    applied = lineledger("topics", "apply", "--bootstrap", kafka_bootstrap, "--prefix", topic_prefix, "--replication", "3")
    assert applied.code == 2, applied.said
    assert "--replication" in applied.stderr
