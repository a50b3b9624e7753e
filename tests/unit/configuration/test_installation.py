"""installation.yaml: what each key says, what is refused with its line, and what holds before it."""

from pathlib import Path

import pytest
import typer

from app.cli.connecting import installed, on_broker, typed
from app.configuration import InstallationInvalid, load_installation
from app.kafka.topic_plan import DAY_MS, WantedTopic, wanted_topics
from schemas.catalog import catalog
from schemas.configuration import InstallationConfig
from tables.refusal import RefusedValue

RAW = "raw.one.presses"


@pytest.fixture
def document(tmp_path: Path) -> Path:
    return tmp_path / "installation.yaml"


def topics_of(document: Path, text: str) -> dict[str, WantedTopic]:
    """The topics that it wants, with two raw topics, by name."""
    document.write_text(text, encoding="utf-8")
    content = load_installation(document).content
    copies = content.topics.copies()._asdict()
    return {topic.name: topic for topic in wanted_topics(content.catalog(), content.prefix, [RAW, "raw.two"], **copies)}


def test_an_empty_document_is_the_catalog() -> None:
    assert InstallationConfig().catalog() == catalog()


@pytest.mark.parametrize(
    ("counts", "topic", "expected"),
    [
        ("{}", "equipment.inbox", 4),
        ("{default: 6}", "equipment.inbox", 6),
        ("{default: 6}", "config", 6),
        ("{equipment: 12}", "equipment.inbox", 12),
        ("{equipment: 12}", "equipment.changelog", 12),
        ("{equipment: 12}", "orders.inbox", 4),
        ("{default: 6, orders: 1}", "orders.changelog", 1),
        ("{lots: 3}", "lots.inbox", 3),
        ("{delivery: 2}", "delivery.inbox", 2),
        ("{intake: 8}", RAW, 8),
        ("{intake: 8}", f"intake.{RAW}.changelog", 8),
        ("{intake: 8}", "equipment.inbox", 4),
        (f"{{intake: 8, topics: {{{RAW}: 2}}}}", RAW, 2),
        (f"{{intake: 8, topics: {{{RAW}: 2}}}}", f"intake.{RAW}.changelog", 2),
        (f"{{intake: 8, topics: {{{RAW}: 2}}}}", "raw.two", 8),
        ("{topics: {exceptions: 1}}", "exceptions", 1),
        ("{equipment: 512}", "equipment.inbox", 512),
        ("{equipment: 1}", "equipment.inbox", 1),
    ],
)
def test_counts_by_stage_and_topic(document: Path, counts: str, topic: str, expected: int) -> None:
    found = topics_of(document, f"prefix: p.\ntopics:\n  partitions: {counts}\n")
    assert found[f"p.{topic}"].partitions == expected


def test_replication_and_copies_that_a_write_waits_for(document: Path) -> None:
    found = topics_of(document, "{}")["config"]
    assert (found.replication, found.config["min.insync.replicas"]) == (3, "2")
    found = topics_of(document, "topics: {replication: 5, min_insync: 3}")["config"]
    assert (found.replication, found.config["min.insync.replicas"]) == (5, "3")


def test_an_option_for_copies_holds_before_the_document() -> None:
    """Fewer copies than a write is to wait for: it waits for all there are."""
    stated = InstallationConfig.model_validate({"topics": {"replication": 5, "min_insync": 3}}).topics
    assert [stated.copies(asked) for asked in (0, 4, 3, 2, 1)] == [(5, 3), (4, 3), (3, 3), (2, 2), (1, 1)]


def test_retention_by_class_of_topics(document: Path) -> None:
    found = topics_of(document, "topics: {retention: {raw: 14 d, inbox: 3 d, exceptions: 60 d}}")
    kept = {name: int(topic.config["retention.ms"]) // DAY_MS for name, topic in found.items() if "retention.ms" in topic.config}
    assert (kept[RAW], kept["exceptions"], kept["ledger.cut-off"]) == (14, 60, 400)
    assert {kept[name] for name in kept if name.endswith(".inbox")} == {3}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("topics:\n  partitions: {orders: 0}", "installation.yaml:2: topics.partitions.orders: `0` must be at least 1"),
        ("topics:\n  partitions: {orders: 513}", "installation.yaml:2: topics.partitions.orders: `513` must be at most 512"),
        ("topics:\n  partitions: {default: 0}", "installation.yaml:2: topics.partitions.default: `0` must be at least 1"),
        ("topics:\n  partitions: {topics: {raw.a: 513}}", "installation.yaml:2: topics.partitions.topics.raw.a: `513` must be"),
        ("topics:\n  partitions: {equipmnt: 3}", "`equipmnt` is no key here; did you mean equipment?"),
        ("topics: {partitions: {topics: {orders.inbox: 3}}}", "`orders.inbox` is a stage's own"),
        ("topics: {partitions: {orders: many}}", "`many` is no whole number"),
        ("topics: {retention: {config: 3 d}}", "`config` is not kept for a time"),
        ("topics: {retention: {raw: 36 h}}", "whole days"),
        ("topics: {replication: 2, min_insync: 3}", "min_insync 3 of 2 copies"),
        ("registry: {secret: 'user:password'}", "never its value"),
        ("identities: {orders: 'User:x'}", "without `User:`"),
        ("plants: {BRN1: {configuration: a, network: '*'}}", "`*` is no user of Kafka"),
        ("plants: {BRN1: {}}", "`configuration` is missing"),
        ("a: [", "this is no YAML"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(document: Path, text: str, said: str) -> None:
    document.write_text(text, encoding="utf-8")
    with pytest.raises(InstallationInvalid) as wrong:
        load_installation(document)
    assert said in str(wrong.value)
    assert "password" not in str(wrong.value)


def test_no_such_document(document: Path) -> None:
    with pytest.raises(InstallationInvalid, match="No such file"):
        load_installation(document)


TOLD = """
prefix: doc.
kafka: {bootstrap: ["one:1", "two:2"], client_config: client.properties}
registry: {url: "http://127.0.0.1:5", secret: registry-user}
plants: {BRN1: {configuration: plants/brn1}}
"""


def test_options_hold_before_the_document(document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document.write_text(TOLD, encoding="utf-8")
    (document.parent / "client.properties").write_text("security.protocol=PLAINTEXT\n", encoding="utf-8")
    other = document.parent / "other.properties"
    other.write_text("schema.registry.url=http://127.0.0.1:7\n", encoding="utf-8")
    monkeypatch.setenv("REGISTRY_USER", "me:mine")
    told = installed(document)
    assert (told.connection.broker.bootstrap, told.prefix) == ("one:1,two:2", "doc.")
    assert told.connection.broker.security == {"security.protocol": "PLAINTEXT"}
    assert told.connection.registry.url == "http://127.0.0.1:5"
    assert told.connection.registry.settings == {"basic.auth.user.info": "me:mine"}
    assert told.document.plants() == {"BRN1": document.parent / "plants/brn1"}
    over = installed(document, "three:3", "own.", "http://127.0.0.1:6", other)
    assert (over.connection.broker.bootstrap, over.prefix) == ("three:3", "own.")
    assert (over.connection.broker.security, over.connection.registry.url) == ({}, "http://127.0.0.1:6")


def test_a_secret_that_is_not_set_is_named(document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document.write_text("registry: {url: 'http://127.0.0.1:5', secret: registry-user}", encoding="utf-8")
    with pytest.raises(RefusedValue) as refused:
        installed(document)
    assert refused.value.refusal.code == "SECRET_MISSING"
    assert installed(document, with_registry=False).connection.registry.url == "", "who asks none needs no secret of it"
    file = document.parent / "secret"
    file.write_text("me:mine\n", encoding="utf-8")
    monkeypatch.setenv("REGISTRY_USER_FILE", str(file))
    assert installed(document).connection.registry.settings == {"basic.auth.user.info": "me:mine"}


def test_a_suggested_command_means_the_same_installation(document: Path) -> None:
    document.write_text("prefix: doc.\nkafka: {bootstrap: 'one:1'}", encoding="utf-8")
    properties = document.parent / "my client.properties"
    properties.touch()
    assert typed(installed(document), document) == f"-f {document}"
    over = installed(document, "two:2", "own.", client_config=properties)
    expected = f"-f {document} --bootstrap two:2 --prefix own. --client-config '{properties}'"
    assert typed(over, document, "two:2", "own.", properties) == expected
    assert typed(installed(None, "two:2"), None, "two:2") == "--bootstrap two:2"
    assert typed(installed(None, "two:2", "own."), None, "two:2", "own.") == "--bootstrap two:2 --prefix own."


def test_brokers_must_be_named_somewhere(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        on_broker(installed(None))
    assert capsys.readouterr().err.startswith("BOOTSTRAP_MISSING: ")


def test_a_file_of_clients_that_is_not_there(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document.write_text("kafka: {client_config: nowhere.properties}", encoding="utf-8")
    with pytest.raises(typer.Exit):
        installed(document)
    assert capsys.readouterr().err.startswith("CLIENT_CONFIG_INVALID: ")
