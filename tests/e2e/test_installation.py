"""A live installation by one document: topics, workers of all stages, questions; and a worker that another one was told of."""

import json
import re
from contextlib import ExitStack
from pathlib import Path
from secrets import token_hex

import pytest
import yaml
from confluent_kafka.admin import AdminClient, NewTopic

from app.demo.master import CONFIGURATION
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
        admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
        admin.delete_topics([topic_prefix + RAW])[topic_prefix + RAW].result(30)
        (posting,) = re.findall(r"posting (\w+)", said[0].stdout)
        again = plant.command("trace", posting, "-f", document)
        assert f"TOPIC_MISSING: there is no topic {topic_prefix}{RAW}, nothing of it is here" in again.stderr, again.said
        assert (again.code, "SOURCE_EXPIRED" in again.stdout) == (1, True), again.said


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


PEOPLE = "raw.live.people"


def with_people(folder: Path) -> Path:
    """The plant with a second raw topic."""
    folder.mkdir()
    for file in CONFIG.iterdir():
        text = file.read_text(encoding="utf-8")
        if file.name == "plant.yaml":
            text = text.replace("\nsources:\n", f"\nsources:\n  people: {{read: {{format: replay, topic: {PEOPLE}}}}}\n")
        (folder / file.name).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.kafka
@pytest.mark.registry
def test_a_worker_that_was_told_other_counts_of_a_raw_topic_ends(
    kafka_bootstrap: str, registry_url: str, topic_prefix: str, tmp_path: Path
) -> None:
    """It reads none of it, and waits for as many intakes as it was told: fewer, and it would post before it knows everything.
    A raw topic that is not there yet holds nobody up, and is compared when it is."""
    where = connection(kafka_bootstrap, topic_prefix, registry_url)
    document = written(tmp_path, where, topics={RAW: 3})
    assert lineledger("topics", "apply", "-f", document).code == 0
    assert lineledger("schemas", "apply", "-f", document).code == 0
    told = Installation(
        ["-f", str(document)], where, tmp_path, {"LINELEDGER_PRIVATE_KEY": token_hex(32)}, with_people(tmp_path / "live")
    )
    (tmp_path / "other").mkdir()
    others = written(tmp_path / "other", where)
    misled = Installation(["-f", str(others)], where, tmp_path / "other")
    with told.worker("intake"), told.worker("lots") as lots, ExitStack() as running:
        found = {stage: running.enter_context(misled.worker(stage)) for stage in ("equipment", "orders")}
        for stage, ended in found.items():
            until(lambda ended=ended: ended.poll() is not None, f"{stage} ends")  # type: ignore[misc]
            assert ended.returncode == 78, misled.log(stage)
            assert f"{topic_prefix}{RAW} has 3 partitions, the installation says 4" in misled.log(stage)
        until(lambda: told.reasons("lots") == [], "ready without a topic of people")
        admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
        admin.create_topics([NewTopic(topic_prefix + PEOPLE, 2, 1)])[topic_prefix + PEOPLE].result(30)
        until(lambda: lots.poll() is not None, "lots ends")
        assert (lots.returncode, f"{topic_prefix}{PEOPLE} has 2 partitions" in told.log("lots")) == (78, True)


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


@pytest.mark.kafka
@pytest.mark.parametrize("machine", ["embedded", "kafka"])
def test_a_run_asks_no_registry_and_only_on_kafka_the_document(
    request: pytest.FixtureRequest, tmp_path: Path, machine: str
) -> None:
    """The document comes from the environment. The registry that it names is away, and its secret is not set."""
    document = tmp_path / "installation.yaml"
    text = "registry: {url: 'http://127.0.0.1:1', secret: not-set}\ntopics: {partitions: {equipment: 3, orders: 2}}\n"
    document.write_text(f"kafka: {{bootstrap: '127.0.0.1:1'}}\n{text}", encoding="utf-8")
    empty = tmp_path / "presses.jsonl"
    empty.write_bytes(b"")
    where = ["--embedded"] if machine == "embedded" else ["--bootstrap", request.getfixturevalue("kafka_bootstrap")]
    environ = {"LINELEDGER_INSTALLATION": str(document), "LINELEDGER_REGISTRY": "http://127.0.0.1:1"}
    told = ["--config", CONFIGURATION, "--input", empty, "--erp", "none", "--out", tmp_path / "out", "--json"]
    ended = lineledger("run", *where, *told, environ=environ)
    assert (ended.code, ended.json["raw"]) == (1, {}), "it ran to its end; nothing was there to read" + ended.said
