"""What is said of a registry that has not this version's schemas: how many, a few of them, and what to type."""

import pytest
from confluent_kafka.schema_registry.error import SchemaRegistryError

from app.kafka import registry
from schemas.catalog import catalog


class EmptyRegistry:
    def lookup_schema(self, subject: str, schema: object) -> None:
        raise SchemaRegistryError(404, 40401, f"subject {subject} not found")


def test_a_message_counts_the_missing_schemas_and_names_three() -> None:
    subjects = [subject for subject, _ in registry.subjects(catalog(), "dev.")]
    with pytest.raises(registry.SchemaNotRegistered) as refused:
        registry.ids(EmptyRegistry(), catalog(), "dev.")  # type: ignore[arg-type]
    said = str(refused.value)
    assert said.startswith(f"{len(subjects)} of {len(subjects)} schemas are not registered ({', '.join(subjects[:3])}, ...)")
    assert said.endswith("`lineledger schemas apply --registry URL --prefix dev.`")
    assert len(said) < 400
