"""The catalog, the .avsc files, records.py and the schema ids agree, and no schema can be used as a bomb."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import fastavro
import pytest

from schemas import generate
from schemas.avro_files import documents, references, self_contained
from schemas.catalog import DAY_US, ENDPOINT, catalog
from schemas.records import RECORDS
from tables.row_kinds import ACCOUNT_ROWS, CLOSED_ACCOUNT_ROWS, ORDER_ROWS, POSTING_ROWS, ROW_KINDS

ROOT = Path(__file__).parents[3]
COMPATIBILITIES = {"BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"}


def _carried() -> set[str]:
    return {record for topic in catalog().topics.values() for record in topic.records}


def test_records_py_is_current() -> None:
    assert generate.TARGET.read_text(encoding="utf-8") == generate.source()


def test_every_record_of_the_catalog_has_a_schema_and_an_id() -> None:
    assert sorted(_carried() - set(documents())) == [], "in catalog.yaml without an .avsc"
    assert sorted(_carried() - set(catalog().schema_ids)) == [], "in catalog.yaml without a schema id"


def test_every_id_belongs_to_a_record_of_a_topic() -> None:
    assert sorted(set(catalog().schema_ids) - _carried()) == []


def test_schema_ids_are_unique_and_fit_the_wire_format() -> None:
    ids = catalog().schema_ids
    assert [number for number, times in Counter(ids.values()).items() if times > 1] == []
    assert all(0 < number < 1 << 31 for number in ids.values())


def test_records_without_a_topic_are_parts_of_others() -> None:
    parts = set().union(*(references(document) for document in documents().values()))
    assert sorted(set(documents()) - _carried() - parts) == []


def test_every_kind_of_row_is_in_the_register_and_says_when_it_goes() -> None:
    for stage, kinds in catalog().rows.items():
        carried = set(catalog().topics[f"{stage}.changelog"].records)
        assert {kind.record for kind in kinds.values()} == carried, stage
        for prefix, kind in kinds.items():
            assert kind.after and (not kind.keep or kind.keep_us > 0), f"{stage} {prefix}"


def test_the_typed_register_is_the_catalogs() -> None:
    typed = {(stage, kind.prefix, kind.record.__name__) for kind in ROW_KINDS for stage in kind.stages}
    assert typed == {(stage, prefix, kind.record) for stage, kinds in catalog().rows.items() for prefix, kind in kinds.items()}
    assert len({kind.prefix for kind in ROW_KINDS}) == len(ROW_KINDS), "a prefix says of itself what it is"


def test_no_prefix_of_a_row_stands_outside_of_the_register() -> None:
    """Literals that begin as a row's key does. tests/unit/engine/test_rows.py has rows of its own."""
    kinds = "".join(sorted(kind.prefix[0] for kind in ROW_KINDS if len(kind.prefix) == 2))
    literal = re.compile(rf"""["']([{kinds}]\||__position)""")
    known = {"tables/row_kinds.py", "tests/unit/engine/test_rows.py", "tests/unit/schemas/test_catalog.py"}
    files = [path for top in ("app", "streams", "tables", "benchmarks", "tests") for path in (ROOT / top).rglob("*.py")]
    found = {
        f"{name}:{number}: {line.strip()}"
        for path in files
        if (name := path.relative_to(ROOT).as_posix()) not in known and "streams/mapping/" not in name
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if literal.search(line)
    }
    assert len(files) > 300 and sorted(found) == []


def test_orders_forget_after_delivery_and_what_a_posting_needs_outlives_it() -> None:
    """An account is asked about its postings while delivery still knows them; its closed sequences outlive both."""
    assert POSTING_ROWS.keep_us < CLOSED_ACCOUNT_ROWS.keep_us <= ACCOUNT_ROWS.keep_us == ORDER_ROWS.keep_us
    assert POSTING_ROWS.keep_us > 2 * 7 * DAY_US, "longer than what an inbox may bring again"


def test_a_topic_lists_a_record_once() -> None:
    for topic in catalog().topics.values():
        assert len(topic.records) == len(set(topic.records)), topic.name


def test_compatibility_is_a_level_and_never_none() -> None:
    assert catalog().compatibility in COMPATIBILITIES


def test_inbox_and_changelog_of_a_stage_have_equal_partitions() -> None:
    """A row's changelog partition is its inbox partition: different counts would restore the wrong rows."""
    topics = catalog().topics
    stages = [name.removesuffix(".changelog") for name in topics if name.endswith(".changelog")]
    assert stages
    for stage in stages:
        inbox = topics.get(f"{stage}.inbox", topics["raw"])
        assert topics[f"{stage}.changelog"].partitions == inbox.partitions, stage


def test_endpoints_have_partitions_of_their_own() -> None:
    endpoints = catalog().endpoints
    assert len(set(endpoints.values())) == len(endpoints)
    assert all(0 <= partition < catalog().partitions("delivery.inbox") for partition in endpoints.values())


@pytest.mark.parametrize("name", sorted(documents()))
def test_a_schema_is_valid_on_its_own(name: str) -> None:
    assert documents()[name]["name"] == name
    fastavro.parse_schema(self_contained(name))


@pytest.mark.parametrize("name", sorted(documents()))
def test_no_schema_contains_itself(name: str) -> None:
    """A recursive record that is 5,000 deep kills the process."""
    assert name not in _reachable(name)


def _reachable(name: str) -> set[str]:
    found: set[str] = set()
    open_names = references(documents()[name])
    while open_names:
        each = open_names.pop()
        if each not in found:
            found.add(each)
            open_names |= references(documents()[each])
    return found


@pytest.mark.parametrize("name", sorted(documents()))
def test_items_of_arrays_and_maps_take_space(name: str) -> None:
    """Six bytes can claim 2^27 items that take none."""
    for item in _items(self_contained(name)):
        assert _least_bytes(item) > 0, item


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_every_record_of_the_program_has_its_file(name: str) -> None:
    assert name in documents()


def test_the_check_for_zero_size_items_sees_them() -> None:
    empty = {"type": "record", "name": "Empty", "fields": [{"name": "n", "type": "null"}]}
    for item in ("null", empty, {"type": "fixed", "name": "F", "size": 0}):
        assert [_least_bytes(each) for each in _items({"type": "array", "items": item})] == [0]


def _items(node: Any) -> list[Any]:
    """Schemas of the items of every array below `node`, and of the values of every map."""
    if isinstance(node, list):
        return [item for part in node for item in _items(part)]
    if not isinstance(node, dict):
        return []
    here = [node["items"]] if node.get("type") == "array" else []
    nested = [node.get("type"), node.get("items"), node.get("values"), *(field["type"] for field in node.get("fields", ()))]
    return here + [item for part in nested if part is not None for item in _items(part)]


def _least_bytes(node: Any) -> int:
    """Fewest bytes that a value can take on the wire."""
    if isinstance(node, str):
        return {"null": 0, "float": 4, "double": 8}.get(node, 1)
    if isinstance(node, list):
        return 1
    if node["type"] == "record":
        return sum(_least_bytes(field["type"]) for field in node["fields"])
    if node["type"] == "fixed":
        return int(node["size"])
    return 1 if node["type"] in {"array", "map", "enum"} else _least_bytes(node["type"])


def test_the_endpoint_of_postings_has_a_partition() -> None:
    assert catalog().endpoints == {ENDPOINT: 0}
    assert catalog().partitions("delivery.inbox") > catalog().endpoints[ENDPOINT]
