"""A live installation by one document: topics, workers of all stages, questions; and a worker that another one was told of."""

import json
from pathlib import Path

import pytest
import yaml
from confluent_kafka.admin import AdminClient

from app.erp.simulator.process import SimulatorProcess
from app.kafka.connection import Connection, connection
from app.topology import STAGES
from tests.e2e.command import lineledger
from tests.e2e.live_plant import CONFIG, RAW, Installation, order, shots, until

COUNTS = {"equipment": 12, "orders": 1, "topics": {RAW: 3}}


def written(folder: Path, where: Connection, **partitions: object) -> Path:
    document = folder / "installation.yaml"
    content = {
        "prefix": where.prefix,
        "kafka": {"bootstrap": where.broker.bootstrap},
        "registry": {"url": where.registry.url},
        "topics": {"partitions": partitions, "replication": 1},
        "plants": {"LIVE": {"configuration": str(CONFIG)}},
    }
    document.write_text(yaml.safe_dump(content), encoding="utf-8")
    return document


@pytest.mark.kafka
@pytest.mark.registry
def test_all_stages_by_the_document(kafka_bootstrap: str, registry_url: str, topic_prefix: str, tmp_path: Path) -> None:
    where = connection(kafka_bootstrap, topic_prefix, registry_url)
    document = written(tmp_path, where, **COUNTS)
    planned = lineledger("topics", "plan", "-f", document, "--json")
    assert planned.code == 1, planned.said
    assert {change["action"] for change in planned.json["changes"]} == {"create"}
    assert [lineledger("topics", name, "-f", document).code for name in ("apply", "plan", "apply")] == [0, 0, 0]
    assert [lineledger("schemas", name, "-f", document).code for name in ("plan", "apply", "plan")] == [1, 0, 0]
    found = AdminClient({"bootstrap.servers": kafka_bootstrap}).list_topics(timeout=10).topics
    names = ["equipment.inbox", "equipment.changelog", "orders.inbox", "lots.inbox", RAW, f"intake.{RAW}.changelog"]
    assert [len(found[topic_prefix + name].partitions) for name in names] == [12, 12, 1, 4, 3, 3]
    with SimulatorProcess(tmp_path / "erp") as erp:
        environ = {"LIVE_ERP_URL": erp.url, "LIVE_ERP_TOKEN": erp.token}
        plant = Installation(["-f", str(document)], where, tmp_path, environ)
        with plant.workers(*STAGES):
            plant.send(*order(), *shots((0, 100), (1, 105), (2, 112)))
            until(lambda: plant.received("O1") == 12, "the receipt of 12 pieces")
            said = [plant.command(*question, "-f", document) for question in (("trace", "O1"), ("parked",), ("topics", "plan"))]
            assert [answer.code for answer in said] == [0, 0, 0], [answer.said for answer in said]
            until(lambda: plant.command("reconcile", "-f", document).code == 0, "all partitions at one moment, and exact")
            # The same without the document: what there is, the broker says.
            asked = ["--bootstrap", kafka_bootstrap, "--prefix", topic_prefix, "--registry", registry_url]
            assert plant.command("trace", "O1", *asked).stdout == said[0].stdout


@pytest.mark.kafka
@pytest.mark.registry
@pytest.mark.parametrize("stage", ["orders", "equipment"])
def test_a_worker_that_was_told_other_counts_ends(
    kafka_bootstrap: str, registry_url: str, topic_prefix: str, tmp_path: Path, stage: str
) -> None:
    """Its own inbox or, of orders here, only that of whom it waits for: it would post before it knows everything."""
    where = connection(kafka_bootstrap, topic_prefix, registry_url)
    document = written(tmp_path, where, equipment=6)
    assert lineledger("topics", "apply", "-f", document).code == 0
    assert lineledger("schemas", "apply", "--registry", registry_url, "--prefix", topic_prefix).code == 0
    asked = ["--bootstrap", kafka_bootstrap, "--prefix", topic_prefix, "--registry", registry_url]
    ended = lineledger("worker", stage, *asked, "--datadir", tmp_path / "data")
    assert ended.code == 78, ended.said
    assert "equipment.inbox has 6 partitions, the installation says 4" in ended.said


@pytest.mark.kafka
@pytest.mark.parametrize(("count", "code"), [(1, 0), (512, 0), (0, 2), (513, 2)])
def test_counts_from_1_to_512(kafka_bootstrap: str, topic_prefix: str, tmp_path: Path, count: int, code: int) -> None:
    document = written(tmp_path, connection(kafka_bootstrap, topic_prefix, "http://127.0.0.1:1"), topics={"exceptions": count})
    ended = lineledger("topics", "apply", "-f", document, "--json")
    assert ended.code == code, ended.said
    if code:
        assert ended.stderr.startswith("INSTALLATION_INVALID: ")
    else:
        topic = f"{topic_prefix}exceptions"
        found = AdminClient({"bootstrap.servers": kafka_bootstrap}).list_topics(topic, timeout=10).topics[topic]
        assert len(found.partitions) == count
        assert json.loads(lineledger("topics", "plan", "-f", document, "--json").stdout)["code"] == ""


def test_a_plant_under_another_name(tmp_path: Path) -> None:
    document = tmp_path / "installation.yaml"
    text = f"kafka: {{bootstrap: '127.0.0.1:1'}}\nplants: {{OTHER: {{configuration: '{CONFIG}'}}}}\n"
    document.write_text(text, encoding="utf-8")
    ended = lineledger("topics", "plan", "-f", document)
    assert (ended.code, "INSTALLATION_INVALID: plants.OTHER" in ended.stderr) == (2, True), ended.said


def test_a_count_of_a_topic_that_nobody_has(tmp_path: Path) -> None:
    document = tmp_path / "installation.yaml"
    text = f"kafka: {{bootstrap: '127.0.0.1:1'}}\nplants: {{LIVE: {{configuration: '{CONFIG}'}}}}\n"
    document.write_text(text + "topics: {partitions: {topics: {raw.live.press: 3}}}\n", encoding="utf-8")
    ended = lineledger("topics", "plan", "-f", document)
    assert (ended.code, "no source of a plant reads raw.live.press" in ended.stderr) == (2, True), ended.said
