"""Every canonical event can be emitted, and what is emitted can be written to Kafka."""

from typing import Any

import pytest

from schemas.codec import Codec
from schemas.records import Component, Operation, OrderItem, OrderReleased, Output, Quantity, RunCorrected
from streams.mapping import MappingError, compile_source
from streams.mapping.records import CANONICAL, WORDS, fields_of
from tables.canonical import ACCOUNT_KINDS
from tests.unit.streams.mapping.sources import AT_US, mapper_of, one, plant_of, record

Q = {"path": "q", "decimals": "0", "unit": "=PC"}
ORDER = {
    "emit": "OrderReleased",
    "order": "po",
    "change_number": "chg || =0",
    "automatic_receipt": {"path": "auto", "codes": {"X": "true", "*": "false"}, "default": "false"},
    "items": {
        "each": "items",
        "item": "pos",
        "material": "mat",
        "quantity": {"path": "qty", "decimals": "0", "unit": "uom"},
        "batch_managed": "batch",
        "over_delivery": "over || =0",
    },
    "operations": [{"operation": "=0010", "confirm": "=milestone"}, {"operation": "=0020", "receipt": "=true"}],
    "components": {
        "each": "bom",
        "item": "rsv",
        "operation": "op",
        "material": "mat",
        "quantity": {"path": "qty", "decimals": "3", "unit": "uom"},
        "base": "per || =1",
        "mode": {"path": "flag", "codes": {"1": "erp_backflush", "*": "declared"}},
    },
}


def minimal(record_type: str) -> dict[str, Any]:
    """A rule that states the required fields of a record and nothing else."""
    rule: dict[str, Any] = {"emit": record_type}
    for name, field in fields_of(record_type).items():
        if name in {"event_id", "plant", "occurred_at", "received_at", "source", "raw_source", "raw_offset", "equipment"}:
            continue
        if field.required and not (record_type == "RunStarted" and name == "run"):
            words = WORDS.get((record_type, name))
            rule[name] = f"={words[0]}" if words else "text"
            if field.hint is int:
                rule[name] = "n"
            elif field.hint is bool:
                rule[name] = "=false"
            elif field.hint is Quantity:
                rule[name] = Q
            elif "list" in str(field.hint):
                rule[name] = {"each": "texts"} if field.hint == list[str] else []
    if record_type in ACCOUNT_KINDS:
        rule["order"] = "=4711"
    return rule


@pytest.mark.parametrize("record_type", CANONICAL)
def test_every_canonical_event_can_be_emitted_and_written(record_type: str) -> None:
    item = one(mapper_of([minimal(record_type)]), record(text="abc", n=3, q=1, texts=["L1", "L2"]))
    assert type(item).__name__ == record_type, item
    assert Codec().decode(Codec().encode(item)) == item


@pytest.mark.parametrize("record_type", [name for name in CANONICAL if len(minimal(name)) > 1 and name not in ACCOUNT_KINDS])
def test_no_required_field_can_be_forgotten(record_type: str) -> None:
    rule = minimal(record_type)
    for name in rule.keys() - {"emit", "version"}:
        plant = plant_of([{key: value for key, value in rule.items() if key != name}])
        with pytest.raises(MappingError, match=f"needs .*`{name}`"):
            compile_source("s", plant.sources["s"], plant)


def test_an_order_with_items_operations_and_components() -> None:
    value = record(
        po=1001234,
        auto="X",
        items=[{"pos": "1", "mat": "4711", "qty": 4800, "uom": "PC", "batch": True, "over": 2.5}],
        bom=[
            {"rsv": "1", "op": "0010", "mat": "9001", "qty": 31.9, "uom": "kg", "per": 1000, "flag": 1},
            {"rsv": "2", "op": "0020", "mat": "BOX", "qty": "1", "uom": "PC", "flag": ""},
        ],
    )
    item = one(mapper_of([ORDER]), value)
    assert isinstance(item, OrderReleased)
    assert item.order == "1001234"
    assert item.automatic_receipt is True
    assert item.items == [
        OrderItem("1", "4711", Quantity(4800, 0, "PC"), batch_managed=True, over_delivery="2.5"),
    ]
    assert item.operations == [Operation("0010", confirm="milestone"), Operation("0020", receipt=True)]
    assert item.components == [
        Component("1", "0010", "9001", Quantity(31900, 3, "kg"), "erp_backflush", base=1000),
        Component("2", "0020", "BOX", Quantity(1000, 3, "PC"), "declared"),
    ]


@pytest.mark.parametrize(
    ("change", "code", "detail"),
    [
        ({"items": [{"pos": "1", "mat": "4711", "qty": 1.5, "uom": "PC"}]}, "BAD_DECIMAL", "items[0]"),
        ({"items": [{"pos": "1", "mat": "4711", "qty": 1}]}, "BAD_UNIT", "items[0]"),
        ({"items": [{"pos": "1", "mat": "", "qty": 1, "uom": "PC"}]}, "MISSING_FIELD", "items[0]"),
        ({"items": [{"pos": "1", "mat": "1", "qty": 1, "uom": "PC", "over": "much"}]}, "BAD_DECIMAL", "over_delivery"),
        ({"items": [{"pos": "1", "mat": "1", "qty": 1, "uom": "PC", "batch": "maybe"}]}, "UNKNOWN_CODE", "batch_managed"),
        ({"items": [1]}, "MISSING_FIELD", "items[0]"),
        ({"items": [{}] * 1001}, "BAD_FIELD", "more than 1000"),
        ({"po": "1|2"}, "BAD_IDENTIFIER", "order"),
        ({"po": "x" * 129}, "BAD_IDENTIFIER", "order"),
    ],
)
def test_an_order_that_does_not_fit(change: dict[str, Any], code: str, detail: str) -> None:
    item = one(mapper_of([ORDER]), record(**{"po": "1", "items": [], **change}))
    assert item.code == code
    assert detail in item.detail


def test_corrections_are_versioned_by_their_own_time() -> None:
    rule = {"emit": "RunCorrected", "run": "job", "order": "po", "from": {"path": "start", "date": "epoch_ms"}}
    item = one(mapper_of([rule]), record(job="J1", po="2", start=1_700_000_000_123))
    assert isinstance(item, RunCorrected)
    assert (item.version, item.started_at, item.ended_at) == (AT_US, 1_700_000_000_123_000, None)
    stated = one(mapper_of([{**rule, "version": "v"}]), record(job="J1", v=5))
    assert (stated.version, stated.order) == (5, "")


def test_texts_of_lists_are_cleaned_like_lots() -> None:
    rule = {"emit": "LotMerged", "material": "=M", "lot": "l", "parents": {"each": "from", "value": "lot"}}
    item = one(mapper_of([rule]), record(l=" A ", **{"from": [{"lot": " B"}, {"lot": "C "}]}))
    assert (item.lot, item.parents) == ("A", ["B", "C"])
    written = {**rule, "parents": ["=B", "l"]}
    assert one(mapper_of([written]), record(l=" A ")).parents == ["B", "A"]


def test_a_declaration_needs_an_order_or_an_equipment() -> None:
    rule = {"emit": "ProductionDeclared", "order": "po", "quantity": Q}
    read = {"event_id": "id", "occurred_at": "ts"}
    mapper = mapper_of([rule], read)
    assert one(mapper, record(po="1", q=1)).equipment == ""
    assert one(mapper, record(q=1)).code == "MISSING_FIELD"
    plant = plant_of([{"emit": "ProductionDeclared", "quantity": Q}], read)
    with pytest.raises(MappingError, match="`order` or `equipment`"):
        compile_source("s", plant.sources["s"], plant)


def test_outputs_written_out() -> None:
    rule = {"emit": "RunChanged", "run": "job", "outputs": [{"material": "part", "order": "=X", "factor": "=2"}]}
    assert one(mapper_of([rule]), record(job="J", part="P")).outputs == [Output("P", "X", factor=2)]
