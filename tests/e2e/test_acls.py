"""Least privilege on a broker that refuses strangers: each identity of the document does its work and nothing else."""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
import yaml
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicCollection
from confluent_kafka.admin import AclOperation, AdminClient

from app.erp.simulator.process import SimulatorProcess
from app.kafka.connection import connection
from tests.e2e.command import Outcome, lineledger
from tests.e2e.live_plant import CONFIG, RAW, Installation, order, shots, until
from tests.platform.secured import ADMIN, SecuredCluster

pytestmark = [pytest.mark.kafka, pytest.mark.registry, pytest.mark.slow]

PEOPLE = "raw.live.people"
CHANGELOG = f"intake.{RAW}.changelog"
STAGE_TOPICS = {name: {f"{name}.inbox", f"{name}.changelog", "config"} for name in ("equipment", "lots", "orders", "delivery")}
EVERY = {"every topic"}
READS: Mapping[str, set[str]] = {
    **STAGE_TOPICS,
    "intake": {RAW, PEOPLE, CHANGELOG, f"intake.{PEOPLE}.changelog", "config"},
    "network": set(),
    "readers": EVERY,
    "operators": EVERY,
}
WRITES: Mapping[str, set[str]] = {
    "intake": {CHANGELOG, f"intake.{PEOPLE}.changelog", "equipment.inbox", "orders.inbox", "lots.inbox", "exceptions"}
    | {"telemetry.process", "config", "clock.probe"},
    "equipment": {"equipment.changelog", "orders.inbox", "lots.inbox", "exceptions"},
    "lots": {"lots.changelog", "orders.inbox", "delivery.inbox", "exceptions", "quality.lot-states", "wms.shipment-blocks"},
    "orders": {"orders.changelog", "delivery.inbox", "exceptions", "production.totals", "mes.orders", "production.kpis"}
    | {"orders.state", "ledger.cut-off", "ledger.accounts", "plant.upstreams"},
    "delivery": {"delivery.changelog", "delivery.inbox", "orders.inbox", "exceptions", "production.kpis", "ledger.postings"},
    "network": {RAW},
    "readers": set(),
    "operators": {PEOPLE},
}
STAGES = ("intake", "equipment", "lots", "orders", "delivery")
FOREIGN = {stage: stage if stage != "intake" else f"intake.{RAW}" for stage in STAGES}


class LeastPrivilege:
    """A document with its identities as users of the secured broker."""

    def __init__(self, cluster: SecuredCluster, registry: str, prefix: str, folder: Path) -> None:
        self.cluster, self.registry, self.prefix, self.folder = cluster, registry, prefix, folder
        mark = prefix.rstrip(".")
        self.names = {name: f"{mark}-{name}" for name in WRITES}
        self.settings = {name: cluster.user(user) for name, user in self.names.items()}
        self.document = folder / "installation.yaml"
        self.config = folder / "live"
        self.config.mkdir()
        for file in CONFIG.iterdir():
            text = file.read_text(encoding="utf-8")
            if file.name == "plant.yaml":
                text = text.replace("\nsources:\n", f"\nsources:\n  people: {{read: {{format: replay, topic: {PEOPLE}}}}}\n")
                assert PEOPLE in text
            (self.config / file.name).write_text(text, encoding="utf-8")
        content = {
            "prefix": prefix,
            "kafka": {"bootstrap": cluster.scram},
            "registry": {"url": registry},
            "topics": {"replication": 1, "partitions": {"orders": 2}},
            "identities": {name: user for name, user in self.names.items() if name not in ("intake", "network")},
            "plants": {
                "LIVE": {"configuration": "live", "intake": self.names["intake"], "network": self.names["network"]},
            },
        }
        self.document.write_text(yaml.safe_dump(content), encoding="utf-8")

    def file(self, name: str, settings: Mapping[str, str]) -> Path:
        path = self.folder / f"{name}.properties"
        path.write_text("".join(f"{key}={value}\n" for key, value in settings.items()), encoding="utf-8")
        return path

    def command(self, *words: str) -> Outcome:
        """By the administrator."""
        return lineledger(*words, "-f", self.document, "--client-config", self.file(ADMIN, self.cluster.with_password(ADMIN)))

    def client(self, name: str) -> dict[str, Any]:
        return {"bootstrap.servers": self.cluster.scram, "log_level": 0, **self.settings[name]}

    def plant(self, name: str, environ: Mapping[str, str]) -> Installation:
        """The installation as this identity sees it."""
        file = self.file(name, self.settings[name])
        where = connection(self.cluster.scram, self.prefix, self.registry, file)
        return Installation(["-f", str(self.document), "--client-config", str(file)], where, self.folder, environ, self.config)


@pytest.fixture(scope="module")
def installed(secured_cluster: SecuredCluster, registry_url: str, tmp_path_factory: pytest.TempPathFactory) -> LeastPrivilege:
    found = LeastPrivilege(secured_cluster, registry_url, "least.", tmp_path_factory.mktemp("acls"))
    assert found.command("topics", "apply").code == 0
    assert lineledger("schemas", "apply", "--registry", registry_url, "--prefix", "least.").code == 0
    planned = found.command("acls", "plan")
    assert (planned.code, "least-orders: read topic least.orders.inbox" in planned.stdout) == (1, True), planned.said
    applied = found.command("acls", "apply")
    assert applied.code == 0, applied.said
    settled(found, AclOperation.WRITE, "delivery", "production.kpis")
    return found


def settled(found: LeastPrivilege, operation: AclOperation, name: str, topic: str) -> None:
    """A broker knows rights a moment after the controller."""
    until(lambda: operation in operations(found, name, [topic])[topic], f"{name} may {operation} {topic}")


def operations(found: LeastPrivilege, name: str, topics: list[str]) -> dict[str, set[Any]]:
    """What the broker says that the identity may do with each topic."""
    admin = AdminClient(found.client(name))
    wanted = TopicCollection([found.prefix + topic for topic in topics])
    answers = admin.describe_topics(wanted, include_authorized_operations=True, request_timeout=20)
    allowed = {}
    for topic, future in answers.items():
        try:
            allowed[topic.removeprefix(found.prefix)] = set(future.result(20).authorized_operations or ())
        except KafkaException as refused:
            if refused.args[0].code() != KafkaError.TOPIC_AUTHORIZATION_FAILED:
                raise
            allowed[topic.removeprefix(found.prefix)] = set()
    return allowed


def test_all_stages_with_an_identity_each_become_a_receipt(installed: LeastPrivilege) -> None:
    with SimulatorProcess(installed.folder / "erp") as erp, ExitStack() as running:
        environ = {"LIVE_ERP_URL": erp.url, "LIVE_ERP_TOKEN": erp.token, "LINELEDGER_PRIVATE_KEY": token_hex(32)}
        for stage in STAGES:
            running.enter_context(installed.plant(stage, environ).workers(stage))
        network, readers = installed.plant("network", environ), installed.plant("readers", environ)
        network.send(*order(), *shots((0, 100), (1, 105), (2, 112)))
        until(lambda: network.received("O1") == 12, "the receipt of 12 pieces")
        for question in (("trace", "O1"), ("parked",)):
            answer = readers.command(*question, *readers.where)
            assert answer.code == 0, answer.said
        until(lambda: readers.command("reconcile", *readers.where).code == 0, "exact")
        until(lambda: readers.command("status", *readers.where).code in (0, 1), "a status")


def test_nothing_to_do_the_second_time(installed: LeastPrivilege) -> None:
    again = installed.command("acls", "plan")
    assert (again.code, again.stdout) == (0, "0 rights to add, 0 to remove\n"), again.said
    assert installed.command("acls", "apply").code == 0


def all_topics(installed: LeastPrivilege) -> list[str]:
    admin = AdminClient({"bootstrap.servers": installed.cluster.scram, **installed.cluster.with_password(ADMIN)})
    names = admin.list_topics(timeout=10).topics
    found = sorted(name.removeprefix(installed.prefix) for name in names if name.startswith(installed.prefix))
    assert len(found) > 20
    return found


@pytest.mark.parametrize("name", list(WRITES))
def test_no_identity_writes_another_topic(installed: LeastPrivilege, name: str) -> None:
    """Each topic is tried. (Behind the live test: what is written here is no record.)"""
    answers: dict[str, str] = {}
    producer = Producer({**installed.client(name), "message.timeout.ms": 15_000})
    for topic in all_topics(installed):
        full = installed.prefix + topic

        def told(error: Any, message: Any, topic: str = topic) -> None:
            answers[topic] = "" if error is None else error.name()

        producer.produce(full, b"x", key=b"matrix", partition=0, on_delivery=told)
    assert producer.flush(30) == 0
    assert {topic for topic, answer in answers.items() if not answer} == WRITES[name]
    assert {answer for answer in answers.values() if answer} == {"TOPIC_AUTHORIZATION_FAILED"}


@pytest.mark.parametrize("name", list(READS))
def test_no_identity_reads_another_topic(installed: LeastPrivilege, name: str) -> None:
    topics = all_topics(installed)
    allowed = operations(installed, name, topics)
    wanted = set(topics) if READS[name] is EVERY else READS[name]
    assert {topic for topic, may in allowed.items() if AclOperation.READ in may} == wanted
    assert {topic for topic, may in allowed.items() if AclOperation.WRITE in may} == WRITES[name]
    beyond = {AclOperation.ALTER, AclOperation.DELETE, AclOperation.ALTER_CONFIGS, AclOperation.CREATE}
    assert not [topic for topic, may in allowed.items() if may & beyond]


@pytest.mark.parametrize("name", list(WRITES))
def test_no_identity_takes_the_partitions_of_another_stage(installed: LeastPrivilege, name: str) -> None:
    """Its transactional id would fence the owner; a member of its group would get partitions."""
    for stage, app in FOREIGN.items():
        inbox = f"{installed.prefix}{RAW if stage == 'intake' else f'{stage}.inbox'}"
        id_ = f"{installed.prefix}{app}.{app}.{inbox}.0"
        fencing = Producer({**installed.client(name), "transactional.id": id_})
        if stage == name:
            fencing.init_transactions(20)
            continue
        with pytest.raises(KafkaException) as refused:
            fencing.init_transactions(20)
        assert refused.value.args[0].code() == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, (stage, refused.value)
        assert joined(installed, name, f"{installed.prefix}{app}", inbox) == "GROUP_AUTHORIZATION_FAILED", stage


def joined(installed: LeastPrivilege, name: str, group: str, topic: str) -> str:
    """What the group's coordinator says; empty: nothing within 20 s."""
    consumer = Consumer({**installed.client(name), "group.id": group, "auto.offset.reset": "earliest"})
    try:
        consumer.subscribe([topic])
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            message = consumer.poll(1)
            if message is not None and message.error() is not None and "GROUP" in message.error().name():
                return str(message.error().name())
        return ""
    finally:
        consumer.close()


def test_a_right_too_many_is_seen_and_removed(installed: LeastPrivilege) -> None:
    document = yaml.safe_load(installed.document.read_text(encoding="utf-8"))
    wider = {**document, "identities": {**document["identities"], "operators": installed.names["network"]}}
    kept = installed.document.read_text(encoding="utf-8")
    installed.document.write_text(yaml.safe_dump(wider), encoding="utf-8")
    assert installed.command("acls", "apply").code == 0
    settled(installed, AclOperation.WRITE, "network", PEOPLE)
    installed.document.write_text(kept, encoding="utf-8")
    planned = installed.command("acls", "plan")
    assert (planned.code, f"remove  {installed.names['network']}: write topic least.{PEOPLE}" in planned.stdout) == (1, True)
    assert installed.command("acls", "apply").code == 0
    assert installed.command("acls", "plan").code == 0
    until(lambda: AclOperation.WRITE not in operations(installed, "network", [PEOPLE])[PEOPLE], "the right is gone")


def test_an_identity_that_leaves_the_document_loses_its_rights(installed: LeastPrivilege) -> None:
    kept = installed.document.read_text(encoding="utf-8")
    document = yaml.safe_load(kept)
    del document["identities"]["operators"], document["plants"]["LIVE"]["network"]
    installed.document.write_text(yaml.safe_dump(document), encoding="utf-8")
    gone = {name: installed.names[name] for name in ("network", "operators")}
    try:
        planned = installed.command("acls", "plan")
        assert (planned.code, f"remove  {gone['network']}: write topic least.{RAW}" in planned.stdout) == (1, True), planned.said
        assert f"remove  {gone['operators']}: write topic least.{PEOPLE}" in planned.stdout, planned.said
        assert installed.command("acls", "apply").code == 0
        assert installed.command("acls", "plan").code == 0
        for name, topic in (("network", RAW), ("operators", PEOPLE)):
            until(lambda name=name, topic=topic: not operations(installed, name, [topic])[topic], f"{name} has no right")  # type: ignore[misc]
    finally:
        installed.document.write_text(kept, encoding="utf-8")
        assert installed.command("acls", "apply").code == 0


@pytest.mark.parametrize("prefix", ["least.eu.", "leas", ""])
def test_another_installation_keeps_its_rights(installed: LeastPrivilege, prefix: str) -> None:
    """The same identities in both, as by default; one prefix begins the other, or is empty. Each adds its own, takes nothing."""
    other = installed.document.with_name("other.yaml")
    content = yaml.safe_load(installed.document.read_text(encoding="utf-8"))
    other.write_text(yaml.safe_dump({**content, "prefix": prefix}), encoding="utf-8")
    admin = ["--client-config", installed.file(ADMIN, installed.cluster.with_password(ADMIN))]
    applied = lineledger("acls", "apply", "-f", other, *admin)
    assert (applied.code, ", 0 to remove" in applied.stdout) == (0, True), applied.said
    for document in (other, installed.document):
        planned = lineledger("acls", "plan", "-f", document, *admin)
        assert (planned.code, planned.stdout) == (0, "0 rights to add, 0 to remove\n"), planned.said


def test_a_broker_without_rights_says_so(kafka_bootstrap: str, installed: LeastPrivilege) -> None:
    ended = lineledger("acls", "plan", "-f", installed.document, "--bootstrap", kafka_bootstrap)
    assert (ended.code, ended.stderr.startswith("ACLS_DISABLED: ")) == (2, True), ended.said


def test_who_may_not_see_rights_is_told(installed: LeastPrivilege) -> None:
    asked = ["-f", installed.document, "--client-config", installed.file("orders", installed.settings["orders"])]
    ended = lineledger("acls", "plan", *asked)
    assert (ended.code, ended.stderr.startswith("BROKER_AUTH: ")) == (2, True), ended.said
