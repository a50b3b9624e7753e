"""Schemas in a real registry: subjects, ids, compatibility."""

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO

import fastavro
import pytest
from confluent_kafka.schema_registry import ConfigCompatibilityLevel, Schema, SchemaRegistryClient, ServerConfig

from app.kafka import registry
from app.kafka.registry import Registry, RegistryUnavailable, SchemaIncompatible, SchemaNotRegistered
from schemas.catalog import Catalog, catalog
from schemas.codec import Codec
from schemas.records import RECORDS, Tick
from tests.platform.process import free_ports

pytestmark = pytest.mark.registry


def _small() -> Catalog:
    """Two topics that share a record: enough for what is asked of one subject."""
    whole = catalog()
    topics = {name: replace(whole.topics[name], records=("Tick", "QualityState")) for name in ("orders.inbox", "lots.inbox")}
    return replace(whole, topics=topics)


@pytest.fixture
def client(registry_url: str) -> SchemaRegistryClient:
    return registry.registry_client(registry_url)


@pytest.fixture
def prefix() -> str:
    return f"t{uuid.uuid4().hex[:8]}."


def _changed(record: str, field: dict[str, object]) -> Schema:
    document = json.loads(registry.registry_schema(record).schema_str)
    return Schema(json.dumps({**document, "fields": [*document["fields"], field]}), "AVRO")


def test_the_whole_catalog_registers_with_stable_ids(client: SchemaRegistryClient, prefix: str) -> None:
    first = registry.register_all(client, catalog(), prefix)
    assert set(first) == {record for topic in catalog().topics.values() for record in topic.records}
    assert len(set(first.values())) == len(first)
    assert registry.register_all(client, catalog(), prefix) == first
    assert registry.ids(client, catalog(), prefix) == first
    assert registry.check_all(client, catalog(), prefix) == []
    assert {s for s in client.get_subjects() if s.startswith(prefix)} == {s for s, _ in registry.subjects(catalog(), prefix)}


def test_registered_ids_write_messages_that_others_can_read(client: SchemaRegistryClient, prefix: str) -> None:
    given = registry.register_all(client, _small(), prefix)
    message = Codec(given).encode(Tick("BRN1", 7, "intake/raw/0"))
    assert int.from_bytes(message[1:5], "big") == given["Tick"]
    written = registry.writers_schema(client, given["Tick"])
    assert written is not None
    assert (written["namespace"], written["name"]) == ("lineledger", "Tick")
    assert registry.writers_schema(client, 999_999) is None


def test_a_program_reads_what_an_older_one_wrote(client: SchemaRegistryClient, registry_url: str, prefix: str) -> None:
    ours = json.loads(registry.registry_schema("Tick").schema_str)
    older = {**ours, "fields": [field for field in ours["fields"] if "default" not in field]}
    old_id = client.register_schema(registry.subject_of(f"{prefix}orders.inbox", "Tick"), Schema(json.dumps(older), "AVRO"))
    registry.register_all(client, _small(), prefix)
    body = BytesIO()
    fastavro.schemaless_writer(
        body, fastavro.parse_schema(older), {"plant": "P", "at": datetime.fromtimestamp(7, UTC), "sender": "s"}
    )
    codec = Registry(registry_url).codec(_small(), prefix)
    assert codec.decode(b"\0" + old_id.to_bytes(4, "big") + body.getvalue()) == Tick("P", 7_000_000, "s", final=False)


def test_looking_up_before_registering_counts_the_missing_subjects(client: SchemaRegistryClient, prefix: str) -> None:
    there = [subject for subject, _ in registry.subjects(_small(), prefix)]
    with pytest.raises(SchemaNotRegistered) as refused:
        registry.ids(client, _small(), prefix)
    assert refused.value.code == "SCHEMA_NOT_REGISTERED"
    assert f"{len(there)} of {len(there)} schemas are not registered" in str(refused.value)
    assert registry.unregistered(client, _small(), prefix) == there
    assert [s for s in client.get_subjects() if s.startswith(prefix)] == [], "a look-up must not register"


def test_the_compatibility_is_set_before_the_first_version(client: SchemaRegistryClient, prefix: str) -> None:
    registry.register_all(client, _small(), prefix)
    for subject, _ in registry.subjects(_small(), prefix):
        level = client.get_config(subject)
        assert (level.compatibility or level.compatibility_level) == _small().compatibility


def test_a_field_with_a_default_is_compatible(client: SchemaRegistryClient, prefix: str) -> None:
    registry.register_all(client, _small(), prefix)
    subject = registry.subject_of(f"{prefix}orders.inbox", "Tick")
    client.register_schema(subject, _changed("Tick", {"name": "extra", "type": "string", "default": ""}))
    assert sorted(client.get_versions(subject)) == [1, 2]
    assert registry.check_all(client, _small(), prefix) == [], "the older program still reads what the newer one writes"


def test_an_incompatible_version_is_refused_before_anything_is_registered(client: SchemaRegistryClient, prefix: str) -> None:
    subject = registry.subject_of(f"{prefix}lots.inbox", "Tick")
    foreign = json.loads(registry.registry_schema("Tick").schema_str)
    foreign["fields"] = [f if f["name"] != "plant" else {"name": "plant", "type": "boolean"} for f in foreign["fields"]]
    client.register_schema(subject, Schema(json.dumps(foreign), "AVRO"))

    with pytest.raises(SchemaIncompatible) as refused:
        registry.register_all(client, _small(), prefix)

    assert refused.value.code == "SCHEMA_INCOMPATIBLE"
    assert [each.subject for each in refused.value.found] == [subject]
    assert [s for s in client.get_subjects() if s.startswith(prefix)] == [subject]
    assert client.get_versions(subject) == [1]


def test_a_level_that_somebody_lowered_is_reported(client: SchemaRegistryClient, prefix: str) -> None:
    registry.register_all(client, _small(), prefix)
    subject = registry.subject_of(f"{prefix}lots.inbox", "Tick")
    client.set_config(subject, ServerConfig(compatibility=ConfigCompatibilityLevel.NONE))
    (found,) = registry.check_all(client, _small(), prefix)
    assert (found.subject, found.detail) == (subject, "compatibility is NONE, the catalog wants BACKWARD_TRANSITIVE")


def test_the_registry_itself_refuses_an_incompatible_version(client: SchemaRegistryClient, prefix: str) -> None:
    """The level on the subject works, for any client that registers."""
    from confluent_kafka.schema_registry.error import SchemaRegistryError

    registry.register_all(client, _small(), prefix)
    subject = registry.subject_of(f"{prefix}orders.inbox", "Tick")
    with pytest.raises(SchemaRegistryError) as refused:
        client.register_schema(subject, _changed("Tick", {"name": "extra", "type": "string"}))
    assert refused.value.http_status_code == 409


def test_a_registry_that_is_down_is_told_apart_from_one_that_refuses() -> None:
    (port,) = free_ports(1)
    nobody = registry.registry_client(f"http://127.0.0.1:{port}", retries=1, timeout_s=1)
    for call in (registry.register_all, registry.check_all, registry.ids):
        with pytest.raises(RegistryUnavailable) as down:
            call(nobody, _small())
        assert down.value.code == "REGISTRY_UNAVAILABLE"


def test_every_record_of_the_catalog_can_be_registered() -> None:
    assert {record for _, record in registry.subjects(catalog())} <= set(RECORDS)
